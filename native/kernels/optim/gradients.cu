// The norm of all gradients together, and clipping by it (Pascanu, Mikolov and Bengio, 2013), many tensors in one launch. The norm stays
// on the device, so that a captured step clips without asking the host:
//   gradient_norm_partial   partials[block] = sum |g|, sum g^2 or max |g| of 4096 elements of one tensor
//   gradient_norm_finish    one block: norm[0] from all partials, summed in double
//   gradient_scale          g = min(1, most / (norm + 1e-6)) g
//   gradient_clamp          g = min(max(g, -limit), limit)
// NaN and infinity reach the norm. g is f32, bf16 or f16, one type per launch; arithmetic and norm are f32. Mapping: 256 threads per
// 4096 elements, four at a time. Limited by bytes: the norm reads g, clipping reads and writes it.
#include "common/math.h"
#include "common/reduce.h"
#include "optim/parameters.h"

constexpr int gradientCapacity = 160;  // tensors in a launch: arguments have 4096 bytes

// Twins of the C# structs and the enumeration of the same names.
struct GradientTensor
{
    void* values;  // of the kernel's type
    long long count;
    int firstBlock;
};

struct GradientTensors
{
    GradientTensor at[gradientCapacity];
    int count;
};

enum class NormOrder : int { one, two, infinity };

__device__ __forceinline__ float normTerm(float g, NormOrder order) { return order == NormOrder::two ? g * g : fabsf(g); }

template <typename V> __device__ __forceinline__ V blockNorm(V mine, NormOrder order)
{
    if (order == NormOrder::infinity) return (V)blockReduce<optimizerThreads>((float)mine, Maximum());
    return blockSum<optimizerThreads>(mine);
}

template <typename T> __device__ __forceinline__ void gradientNormPartial(const GradientTensors& gradients, NormOrder order, float* partials)
{
    const ParameterPiece piece = pieceOfBlock(gradients);
    float mine = 0.0f;
    updatePiece(piece, [&](float g) {
        const float term = normTerm(g, order);
        mine = order == NormOrder::infinity ? cnn::maxNan(mine, term) : mine + term;
    }, (const T*)gradients.at[piece.parameter].values);
    mine = blockNorm(mine, order);
    if (threadIdx.x == 0) partials[blockIdx.x] = mine;
}

extern "C" __global__ __launch_bounds__(256) void gradient_norm_finish(const float* partials, int count, NormOrder order, float* norm)
{
    double mine = 0.0;
    for (int i = threadIdx.x; i < count; i += optimizerThreads)
        mine = order == NormOrder::infinity ? (double)cnn::maxNan((float)mine, partials[i]) : mine + partials[i];
    mine = blockNorm(mine, order);
    if (threadIdx.x == 0) norm[0] = (float)(order == NormOrder::two ? sqrt(mine) : mine);
}

template <typename T> __device__ __forceinline__ void gradientScale(const GradientTensors& gradients, const float* norm, float most)
{
    const float factor = cnn::minNan(most / (norm[0] + 1e-6f), 1.0f);
    const ParameterPiece piece = pieceOfBlock(gradients);
    updatePiece(piece, [=](float& g) { g *= factor; }, (T*)gradients.at[piece.parameter].values);
}

template <typename T> __device__ __forceinline__ void gradientClamp(const GradientTensors& gradients, float limit)
{
    const ParameterPiece piece = pieceOfBlock(gradients);
    updatePiece(piece, [=](float& g) { g = cnn::minNan(cnn::maxNan(g, -limit), limit); }, (T*)gradients.at[piece.parameter].values);
}

extern "C" __global__ __launch_bounds__(256) void gradient_norm_partial_f32(GradientTensors gradients, NormOrder order, float* partials)
{
    gradientNormPartial<float>(gradients, order, partials);
}

extern "C" __global__ __launch_bounds__(256) void gradient_norm_partial_bf16(GradientTensors gradients, NormOrder order, float* partials)
{
    gradientNormPartial<Bf16>(gradients, order, partials);
}

extern "C" __global__ __launch_bounds__(256) void gradient_norm_partial_f16(GradientTensors gradients, NormOrder order, float* partials)
{
    gradientNormPartial<Fp16>(gradients, order, partials);
}

extern "C" __global__ __launch_bounds__(256) void gradient_scale_f32(GradientTensors gradients, const float* norm, float most)
{
    gradientScale<float>(gradients, norm, most);
}

extern "C" __global__ __launch_bounds__(256) void gradient_scale_bf16(GradientTensors gradients, const float* norm, float most)
{
    gradientScale<Bf16>(gradients, norm, most);
}

extern "C" __global__ __launch_bounds__(256) void gradient_scale_f16(GradientTensors gradients, const float* norm, float most)
{
    gradientScale<Fp16>(gradients, norm, most);
}

extern "C" __global__ __launch_bounds__(256) void gradient_clamp_f32(GradientTensors gradients, float limit)
{
    gradientClamp<float>(gradients, limit);
}

extern "C" __global__ __launch_bounds__(256) void gradient_clamp_bf16(GradientTensors gradients, float limit)
{
    gradientClamp<Bf16>(gradients, limit);
}

extern "C" __global__ __launch_bounds__(256) void gradient_clamp_f16(GradientTensors gradients, float limit)
{
    gradientClamp<Fp16>(gradients, limit);
}
