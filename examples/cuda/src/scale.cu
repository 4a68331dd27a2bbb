// extern "C", so that the name by which the kernel is found is this one.
extern "C" __global__ void scale(float* data, long long count, float factor) {
  long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  if (i < count) data[i] *= factor;
}
