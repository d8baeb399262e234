// What the copy engine knows of patches: a column of output pixels, read at one tap (im2col). The taps of a phase of the data gradient run
// backwards; the engine counts from the first pixel that a window meets, and adds what is never negative.
#pragma once

#include "common/tensor_copy.h"
#include "conv/geometry.h"

// From the pixel where output (0, 0) has its lowest tap to where it has tap 0: the twin of PatchBox in C#.
__device__ __forceinline__ int tapShift(int taps, int step) { return step < 0 ? (1 - taps) * step : 0; }

// Where a column begins whose first pixel is `index`, and whose first channel is given.
__device__ __forceinline__ PatchPlace patchPlace(const ConvGeometry& g, int index, int channel)
{
    const Pixel pixel = outPixel(g, index);
    return {channel, pixel.w * g.strideW + g.originW - tapShift(g.windowWidth, g.tapW), pixel.h * g.strideH + g.originH - tapShift(g.windowHeight, g.tapH), pixel.n};
}

// Copies channels of a column of pixels at tap `tap`, counted along rows of the window.
__device__ __forceinline__ void copyTap(unsigned to, unsigned long long map, const ConvGeometry& g, const PatchPlace& place, int tap, unsigned barrier)
{
    const int r = divide(tap, g.byWindowWidth, tap);
    copyPixels(to, map, place, tapShift(g.windowWidth, g.tapW) + tap * g.tapW, tapShift(g.windowHeight, g.tapH) + r * g.tapH, barrier);
}
