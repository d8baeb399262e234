// y[b][j][i] = x[b][i][j] for matrices (rows, columns): NCHW to NHWC with rows = C and columns = H * W, and back with the two
// exchanged. Elements of 1, 2, 4 or 8 bytes are moved as they are.
//
//   transpose_b*         tiles of `side` x `side` through shared memory; both sides of a tile are read and written along rows, and a
//                        padding of one bank makes the column access of shared memory free of conflicts. A block of 256 per tile;
//                        grid (tiles per matrix, batch up to 65535; more batches in a loop).
//   transpose_narrow_b*  for matrices of few rows or few columns (images of 3 channels), which would leave most of a square tile
//                        empty: a block takes 256 of the long dimension with all of the short one. `rows` is the short one; the flag
//                        `columnsFirst` says that x is (long, short) and not (short, long).
// Limited by bytes: each is moved once.
#include "common/cuda_compat.h"

constexpr int threads = 256, warpWidth = 32, warps = threads / warpWidth;

// Elements along a side of a tile: enough bytes per thread to hide the latency of memory.
template <typename T> constexpr int side = sizeof(T) < 4 ? 64 : 32;

template <typename T> __device__ __forceinline__ void transpose(const T* x, T* y, int batch, int rows, int columns)
{
    constexpr int tile = side<T>, padding = sizeof(T) < 4 ? 4 / sizeof(T) : 1;
    __shared__ T staged[tile][tile + padding];
    const int tilesAcross = (columns + tile - 1) / tile;
    const int top = blockIdx.x / tilesAcross * tile, left = blockIdx.x % tilesAcross * tile;
    const int lane = threadIdx.x % warpWidth, warp = threadIdx.x / warpWidth;
    const long long plane = (long long)rows * columns;
    for (int b = blockIdx.y; b < batch; b += gridDim.y) {
#pragma unroll
        for (int i = 0; i < tile; i += warps)
#pragma unroll
            for (int j = lane; j < tile; j += warpWidth)
                if (top + i + warp < rows && left + j < columns)
                    staged[i + warp][j] = x[b * plane + (long long)(top + i + warp) * columns + left + j];
        __syncthreads();
#pragma unroll
        for (int j = 0; j < tile; j += warps)
#pragma unroll
            for (int i = lane; i < tile; i += warpWidth)
                if (top + i < rows && left + j + warp < columns)
                    y[b * plane + (long long)(left + j + warp) * rows + top + i] = staged[i][j + warp];
        __syncthreads();
    }
}

constexpr int narrowLength = 256, narrowLimit = 16;

// The staged matrix is (short, long), its rows shifted against each other so that a run over the short dimension meets other banks.
template <typename T>
__device__ __forceinline__ void transposeNarrow(const T* x, T* y, int batch, int rows, int columns, bool columnsFirst)
{
    constexpr int slots = narrowLimit * (narrowLength + warpWidth);
    __shared__ T staged[slots];
    const int pitch = narrowLength + (warpWidth + rows - 1) / rows;
    const int first = blockIdx.x * narrowLength, length = min(narrowLength, columns - first), count = rows * length;
    for (int b = blockIdx.y; b < batch; b += gridDim.y) {
        // The (short, long) side in memory, and the (long, short) one: one run of elements.
        const long long matrix = (long long)b * rows * columns, run = matrix + (long long)first * rows;
        if (columnsFirst) {
            for (int i = threadIdx.x; i < count; i += threads) staged[i % rows * pitch + i / rows] = x[run + i];
        } else {
            for (int row = 0; row < rows; ++row)
                if ((int)threadIdx.x < length) staged[row * pitch + threadIdx.x] = x[matrix + (long long)row * columns + first + threadIdx.x];
        }
        __syncthreads();
        if (columnsFirst) {
            for (int row = 0; row < rows; ++row)
                if ((int)threadIdx.x < length) y[matrix + (long long)row * columns + first + threadIdx.x] = staged[row * pitch + threadIdx.x];
        } else {
            for (int i = threadIdx.x; i < count; i += threads) y[run + i] = staged[i % rows * pitch + i / rows];
        }
        __syncthreads();
    }
}

extern "C" __global__ __launch_bounds__(256) void transpose_b8(const void* x, void* y, int batch, int rows, int columns)
{
    transpose((const unsigned char*)x, (unsigned char*)y, batch, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void transpose_b16(const void* x, void* y, int batch, int rows, int columns)
{
    transpose((const unsigned short*)x, (unsigned short*)y, batch, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void transpose_b32(const void* x, void* y, int batch, int rows, int columns)
{
    transpose((const unsigned*)x, (unsigned*)y, batch, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void transpose_b64(const void* x, void* y, int batch, int rows, int columns)
{
    transpose((const uint2*)x, (uint2*)y, batch, rows, columns);
}

extern "C" __global__ __launch_bounds__(256) void transpose_narrow_b8(const void* x, void* y, int batch, int rows,
    int columns, int columnsFirst)
{
    transposeNarrow((const unsigned char*)x, (unsigned char*)y, batch, rows, columns, columnsFirst);
}

extern "C" __global__ __launch_bounds__(256) void transpose_narrow_b16(const void* x, void* y, int batch, int rows,
    int columns, int columnsFirst)
{
    transposeNarrow((const unsigned short*)x, (unsigned short*)y, batch, rows, columns, columnsFirst);
}

extern "C" __global__ __launch_bounds__(256) void transpose_narrow_b32(const void* x, void* y, int batch, int rows,
    int columns, int columnsFirst)
{
    transposeNarrow((const unsigned*)x, (unsigned*)y, batch, rows, columns, columnsFirst);
}

extern "C" __global__ __launch_bounds__(256) void transpose_narrow_b64(const void* x, void* y, int batch, int rows,
    int columns, int columnsFirst)
{
    transposeNarrow((const uint2*)x, (uint2*)y, batch, rows, columns, columnsFirst);
}
