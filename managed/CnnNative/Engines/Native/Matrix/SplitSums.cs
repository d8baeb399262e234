using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The second stage of a sum whose depth was split: partial results, always float, are added in a fixed order.</summary>
internal readonly struct SplitSums(NativeContext context, DType type)
{
    /// <summary>Threads of a block; threads of an element where there are few (threadsOfElement), and splits from which those have something to do.</summary>
    private const int Threads = 256, Shared = 8, ManySplits = 2 * Shared;

    /// <summary>y[i] = clamp(sum over s of partial[s, i] + bias[i / biasStride % biases]).</summary>
    public void Add(DevicePointer partial, DevicePointer bias, DevicePointer y, long count, int splits, int biases, int biasStride, Epilogue epilogue)
    {
        if (count == 0) return;
        context.Kernels.SumSplits(type, Launch(count, splits, context.Info), partial, bias, y, count, splits, biases, biasStride, epilogue);
    }

    /// <summary>y[i] = sum over s of partial[s, i].</summary>
    public void Add(DevicePointer partial, DevicePointer y, long count, int splits) => Add(partial, default, y, count, splits, 1, 1, Epilogues.None);

    /// <summary>A thread per element, up to the threads that the device holds; eight where it holds as many and splits are many.</summary>
    internal static LaunchConfiguration Launch(long count, int splits, CudaDeviceInfo info)
    {
        var held = (long)info.Multiprocessors * info.MaxThreadsPerMultiprocessor;
        var elements = splits >= ManySplits && count * Shared <= held ? Threads / Shared : Threads;
        return new((int)Math.Min((count + elements - 1) / elements, held / Threads), new Dim3(elements, Threads / elements));
    }
}
