// A regular set of blocks; twin of the C# struct BlockCopyPlan. All figures in units of the kernel's element type.
#pragma once

#include "common/divide.h"

struct BlockCopyPlan
{
    long long sourceStart, sourceStep, targetStart, targetStep;
    int count;            // blocks * length
    FastDivisor length;   // of a block
};
