extern "C" __global__ void fill(float* data, long long count, float value) {
  long long i = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
  if (i < count) data[i] = value;
}
