using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The second stage of a sum whose depth was split: partial results, always float, are added in order.</summary>
internal readonly struct SplitSums(NativeContext context, DType type)
{
    private const int Threads = 256;

    /// <summary>y[i] = clamp(sum over s of partial[s, i] + bias[i / biasStride % biases]).</summary>
    public void Add(DevicePointer partial, DevicePointer bias, DevicePointer y, long count, int splits, int biases, int biasStride, Epilogue epilogue)
    {
        if (count == 0) return;
        context.Kernels.SumSplits(type, Launch(count, context.Info), partial, bias, y, count, splits, biases, biasStride, epilogue);
    }

    /// <summary>y[i] = sum over s of partial[s, i].</summary>
    public void Add(DevicePointer partial, DevicePointer y, long count, int splits) => Add(partial, default, y, count, splits, 1, 1, Epilogues.None);

    /// <summary>A thread per element, up to the threads that the device holds.</summary>
    internal static LaunchConfiguration Launch(long count, CudaDeviceInfo info) =>
        new((int)Math.Min((count + Threads - 1) / Threads, (long)info.Multiprocessors * info.MaxThreadsPerMultiprocessor / Threads), Threads);
}
