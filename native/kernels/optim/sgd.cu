// A step of stochastic gradient descent on many parameters in one launch, with PyTorch's meaning of momentum and its roundings:
//   d = g + decay w;   v = momentum v + (1 - dampening) d, or d at the first step;   w = w - rate (v, or d + momentum v for Nesterov)
// without momentum w = w - rate d. w and g are f32, bf16 or f16; all arithmetic and v are f32, w is rounded once. Mapping: 256 threads
// per 4096 elements of one parameter, four at a time. Limited by bytes: w and v are read and written, g is read.
#include "optim/parameters.h"

constexpr int sgdCapacity = 96;  // parameters in a launch: arguments have 4096 bytes

// Twins of the C# structs of the same names.
struct SgdParameter
{
    void* w;  // of the kernel's type, as the gradient
    const void* gradient;
    float* velocity;  // null: no momentum
    long long count;
    int firstBlock;
};

struct SgdParameters
{
    SgdParameter at[sgdCapacity];
    int count;
};

struct SgdRule
{
    float rate, momentum, keep, decay;  // keep = 1 - dampening
    int nesterov, first;
};

template <typename T> __device__ __forceinline__ void sgd(const SgdParameters& parameters, const SgdRule& rule, const OptimizerClock* clock)
{
    const ParameterPiece piece = pieceOfBlock(parameters);
    const SgdParameter& parameter = parameters.at[piece.parameter];
    T* const weights = (T*)parameter.w;
    const T* const gradient = (const T*)parameter.gradient;
    const float rate = clock ? (float)clock->rate : rule.rate;
    auto direction = [=](float w, float g) { return rule.decay != 0.0f ? fmaf(rule.decay, w, g) : g; };
    if (parameter.velocity) {
        updatePiece(piece, [=](float& w, float& v, float g) {
            const float d = direction(w, g);
            v = rule.first ? d : fmaf(rule.keep, d, __fmul_rn(rule.momentum, v));
            w = fmaf(-rate, rule.nesterov ? fmaf(rule.momentum, v, d) : v, w);
        }, weights, parameter.velocity, gradient);
    } else {
        updatePiece(piece, [=](float& w, float g) { w = fmaf(-rate, direction(w, g), w); }, weights, gradient);
    }
}

extern "C" __global__ __launch_bounds__(256) void sgd_f32(SgdParameters parameters, SgdRule rule, const OptimizerClock* clock)
{
    sgd<float>(parameters, rule, clock);
}

extern "C" __global__ __launch_bounds__(256) void sgd_bf16(SgdParameters parameters, SgdRule rule, const OptimizerClock* clock)
{
    sgd<Bf16>(parameters, rule, clock);
}

extern "C" __global__ __launch_bounds__(256) void sgd_f16(SgdParameters parameters, SgdRule rule, const OptimizerClock* clock)
{
    sgd<Fp16>(parameters, rule, clock);
}
