// Activations y = f(x) and their gradients dx = dy f'(x), computed from y; n elements in memory order. y may be x, dx may be dy.
// Mapping: 256 threads, 16 bytes of the output per thread (common/map.h). Limited by bytes: each is moved once.
#include "activation/gradient.h"
#include "common/map.h"

// Comparisons are written so that NaN stays NaN.
template <typename T> __device__ __forceinline__ void activationForward(int kind, const T* x, T* y, long long count)
{
    switch (ActivationKind(kind)) {
    case ActivationKind::identity: mapElements(count, y, [](float v) { return v; }, x); break;
    case ActivationKind::relu: mapElements(count, y, [](float v) { return v < 0.0f ? 0.0f : v; }, x); break;
    case ActivationKind::relu6: mapElements(count, y, [](float v) { return v < 0.0f ? 0.0f : v > 6.0f ? 6.0f : v; }, x); break;
    case ActivationKind::sigmoid: mapElements(count, y, [](float v) { return cnn::sigmoid(v); }, x); break;
    case ActivationKind::tanh: mapElements(count, y, [](float v) { return cnn::tanh(v); }, x); break;
    }
}

template <typename T> __device__ __forceinline__ void activationBackward(int kind, const T* y, const T* dy, T* dx, long long count)
{
    withGradient(ActivationKind(kind), [&](auto gradient) { mapElements(count, dx, gradient, y, dy); });
}

extern "C" __global__ __launch_bounds__(256) void activation_forward_f32(int kind, const float* x, float* y, long long count)
{
    activationForward(kind, x, y, count);
}
extern "C" __global__ __launch_bounds__(256) void activation_backward_f32(int kind, const float* y, const float* dy,
    float* dx, long long count)
{
    activationBackward(kind, y, dy, dx, count);
}
extern "C" __global__ __launch_bounds__(256) void activation_forward_bf16(int kind, const Bf16* x, Bf16* y, long long count)
{
    activationForward(kind, x, y, count);
}
extern "C" __global__ __launch_bounds__(256) void activation_backward_bf16(int kind, const Bf16* y, const Bf16* dy,
    Bf16* dx, long long count)
{
    activationBackward(kind, y, dy, dx, count);
}
extern "C" __global__ __launch_bounds__(256) void activation_forward_f16(int kind, const Fp16* x, Fp16* y, long long count)
{
    activationForward(kind, x, y, count);
}
extern "C" __global__ __launch_bounds__(256) void activation_backward_f16(int kind, const Fp16* y, const Fp16* dy, Fp16* dx,
    long long count)
{
    activationBackward(kind, y, dy, dx, count);
}
