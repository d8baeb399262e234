// Max pooling 3x3, stride 2, padding 1, NCHW, f32. y[n,c,p,q] is the maximum, where[n,c,p,q] its place r * 3 + s in the
// window in one byte; the first of equal values wins, NaN wins over all. One thread per output. Limited by bytes.
#include "common/cuda_compat.h"

extern "C" __global__ __launch_bounds__(256) void maxpool(const float* __restrict__ x, float* __restrict__ y,
                                                          unsigned char* __restrict__ where, int planes, int height, int width)
{
    const int outHeight = (height - 1) / 2 + 1, outWidth = (width - 1) / 2 + 1;
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= planes * outHeight * outWidth) return;
    const int q = index % outWidth, p = index / outWidth % outHeight, plane = index / outWidth / outHeight;
    const float* image = x + (size_t)plane * height * width;
    float best = 0.0f;
    int place = -1;
    for (int r = 0; r < 3; ++r) {
        const int h = 2 * p + r - 1;
        if (h < 0 || h >= height) continue;
        for (int s = 0; s < 3; ++s) {
            const int w = 2 * q + s - 1;
            if (w < 0 || w >= width) continue;
            const float value = image[h * width + w];
            if (place < 0 || value > best || value != value) best = value, place = r * 3 + s;
            if (value != value) break;
        }
        if (best != best) break;
    }
    y[index] = best;
    where[index] = (unsigned char)place;
}
