// Depthwise kernels for windows, strides and dilations that have no kernel of their own: a thread per strip of a column.
#pragma once

#include "common/dtype.h"
#include "conv/geometry.h"

// How output pixels are dealt to threads: strips of `rows` rows and one column.
struct DepthwiseStrips
{
    int rows, strips;                    // per strip; per image
    int total;                           // threads: images * channels * strips * columns
    int multiplier;                      // filters per channel
    FastDivisor byWidth, byStrips, byChannels, byMultiplier;  // columns, strips, channels written, multiplier
};

struct Strip { int n, channel, first, q; };

// Thread `index`, columns (NCHW) or channels (NHWC) fastest: neighbouring threads read neighbouring addresses.
template <bool ChannelsLast>
__device__ __forceinline__ Strip stripOf(const DepthwiseStrips& d, int index)
{
    Strip strip;
    if (ChannelsLast) {
        index = divide(index, d.byChannels, strip.channel);
        index = divide(index, d.byWidth, strip.q);
        strip.n = divide(index, d.byStrips, strip.first);
    } else {
        index = divide(index, d.byWidth, strip.q);
        index = divide(index, d.byStrips, strip.first);
        strip.n = divide(index, d.byChannels, strip.channel);
    }
    strip.first *= d.rows;
    return strip;
}
