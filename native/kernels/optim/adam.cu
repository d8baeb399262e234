// A step of Adam (Kingma and Ba, 2015) on many parameters in one launch, in PyTorch's order of operations:
//   d = g + decay w;   m = beta1 m + (1 - beta1) d;   s = beta2 s + (1 - beta2) d^2
//   w = w - rate / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + eps)
// w and g are f32, bf16 or f16; all arithmetic, m and s are f32, w is rounded once. Mapping: 256 threads per 4096 elements of one
// parameter, four at a time. Limited by bytes: w, m and s are read and written, g is read.
#include "optim/parameters.h"

constexpr int adamCapacity = 80;  // parameters in a launch: arguments have 4096 bytes

// Twins of the C# structs of the same names.
struct AdamParameter
{
    void* w;  // of the kernel's type, as the gradient
    const void* gradient;
    float *mean, *square;
    long long count;
    int firstBlock;
};

struct AdamParameters
{
    AdamParameter at[adamCapacity];
    int count;
};

// The corrections of the bias are computed in double from the settings as the user wrote them.
struct AdamRule
{
    double rate, beta1, beta2;
    long long step;
    float eps, decay;
};

// base^exponent by repeated squaring.
__device__ __forceinline__ double power(double base, long long exponent)
{
    double result = 1.0;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1) result *= base;
    return result;
}

template <typename T> __device__ __forceinline__ void adam(const AdamParameters& parameters, const AdamRule& rule, const OptimizerClock* clock)
{
    // -rate / (1 - beta1^t), sqrt(1 - beta2^t): once per block, for double precision is slow on some devices.
    __shared__ float2 corrections;
    if (threadIdx.x == 0) {
        // Volatile, and values (+) instead of places: a choice between two places in memory would put the rule into local memory.
        const volatile OptimizerClock* const now = clock;
        const double stepRate = now ? +now->rate : +rule.rate;
        const long long step = now ? +now->step : +rule.step;
        corrections = make_float2(
            (float)(-stepRate / (1.0 - power(rule.beta1, step))), (float)sqrt(1.0 - power(rule.beta2, step)));
    }
    __syncthreads();
    const float rate = corrections.x, root = corrections.y;
    const float beta1 = (float)rule.beta1, rest1 = (float)(1.0 - rule.beta1), beta2 = (float)rule.beta2, rest2 = (float)(1.0 - rule.beta2);
    const ParameterPiece piece = pieceOfBlock(parameters);
    const AdamParameter& parameter = parameters.at[piece.parameter];
    updatePiece(piece, [=](float& w, float& m, float& s, float g) {
        const float d = rule.decay != 0.0f ? fmaf(rule.decay, w, g) : g;
        m = fmaf(rest1, d, __fmul_rn(beta1, m));
        s = fmaf(__fmul_rn(rest2, d), d, __fmul_rn(beta2, s));
        w += __fmul_rn(rate, m) / (sqrtf(s) / root + rule.eps);
    }, (T*)parameter.w, parameter.mean, parameter.square, (const T*)parameter.gradient);
}

extern "C" __global__ __launch_bounds__(256) void adam_f32(AdamParameters parameters, AdamRule rule, const OptimizerClock* clock)
{
    adam<float>(parameters, rule, clock);
}

extern "C" __global__ __launch_bounds__(256) void adam_bf16(AdamParameters parameters, AdamRule rule, const OptimizerClock* clock)
{
    adam<Bf16>(parameters, rule, clock);
}

extern "C" __global__ __launch_bounds__(256) void adam_f16(AdamParameters parameters, AdamRule rule, const OptimizerClock* clock)
{
    adam<Fp16>(parameters, rule, clock);
}
