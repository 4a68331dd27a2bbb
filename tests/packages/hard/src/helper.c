#ifdef _WIN32
__declspec(dllexport)
#endif
int helper_scale(int x);
int helper_scale(int x) { return 10 * x; }
