// y[n,c,h,w] = sum over r, s of x[n,c,h+r-1,w+s-1] f[c,r,s]: depthwise 3x3, stride 1, padding 1, f32, NCHW.
// One block per plane (n, c), 256 threads. A thread walks down a strip of its column with three rows of three pixels in
// registers, so that every input is read three times from cache and once from memory. Limited by bytes.
#include "common/cuda_compat.h"

extern "C" __global__ __launch_bounds__(256) void depthwise3x3(const float* __restrict__ x, const float* __restrict__ f,
                                                               float* __restrict__ y, int channels, int height, int width)
{
    const int strips = 256 / width > 0 ? 256 / width : 1, strip = threadIdx.x / width;
    const int rows = (height + strips - 1) / strips, first = strip * rows;
    const int last = min(first + rows, height);
    const float* taps = f + blockIdx.x % channels * 9;
    const float t00 = taps[0], t01 = taps[1], t02 = taps[2], t10 = taps[3], t11 = taps[4], t12 = taps[5];
    const float t20 = taps[6], t21 = taps[7], t22 = taps[8];
    x += (size_t)blockIdx.x * height * width;
    y += (size_t)blockIdx.x * height * width;
    if (strip >= strips) return;
    for (int column = threadIdx.x % width; column < width; column += 256) {
        const bool left = column > 0, right = column + 1 < width;
        auto row = [&](int h) {
            float3 v = {0.0f, 0.0f, 0.0f};
            if (h < 0 || h >= height) return v;
            const float* p = x + h * width + column;
            if (left) v.x = p[-1];
            v.y = p[0];
            if (right) v.z = p[1];
            return v;
        };
        float3 above = row(first - 1), here = row(first);
        for (int h = first; h < last; ++h) {
            const float3 below = row(h + 1);
            float sum = above.x * t00;
            sum = fmaf(above.y, t01, sum), sum = fmaf(above.z, t02, sum);
            sum = fmaf(here.x, t10, sum), sum = fmaf(here.y, t11, sum), sum = fmaf(here.z, t12, sum);
            sum = fmaf(below.x, t20, sum), sum = fmaf(below.y, t21, sum), sum = fmaf(below.z, t22, sum);
            y[h * width + column] = sum;
            above = here, here = below;
        }
    }
}
