// x *= 2 and x *= 3. twice.fatbin holds it as PTX for sm_80 and sm_90, LZ4-compressed, and as machine code for sm_80; sm_80.fatbin
// as machine code alone:
//   nvcc -fatbin -gencode arch=compute_80,code=compute_80 -gencode arch=compute_90,code=compute_90
//        -gencode arch=compute_80,code=sm_80 -o twice.fatbin twice.cu        (12.4)
//   nvcc -fatbin -gencode arch=compute_80,code=sm_80 -o sm_80.fatbin twice.cu
extern "C" __global__ void twice(float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 2;
}
extern "C" __global__ void thrice(float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= 3;
}
