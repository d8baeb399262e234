using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace CnnNative.Interop.Raw;

/// <summary>
/// The functions of the CUDA driver, by their exported names; blittable, without allocation. Handles are addresses; device
/// pointers are 64-bit numbers. Here are those that every source set has in common: they take arrays whose lengths only the driver
/// knows, or a tensor map, which must lie at a multiple of 64 bytes; managed arrays cannot carry either.
/// </summary>
internal static unsafe partial class Driver
{
    private const string Library = "cuda";

    /// <summary>Sends all calls to the library that was found; once, before the first of them.</summary>
    /// <param name="search">How the search for the driver went.</param>
    /// <returns>The same search, or one that found nothing where the source set cannot be made to use that library.</returns>
    public static LibrarySearch Bind(LibrarySearch search)
    {
        var handle = search.Handle;
        NativeLibrary.SetDllImportResolver(typeof(Driver).Assembly, (name, _, _) => name == Library ? handle : 0);
        if (search.Found) Redirect(ref search);
        return search;
    }

    [LibraryImport(Library)] public static partial CudaStatus cuModuleLoadDataEx(nint* module, byte* image, uint count, JitOption* options, void** values);

    [LibraryImport(Library)]
    public static partial CudaStatus cuLaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream, void** arguments, void** extra);

    [LibraryImport(Library)] public static partial CudaStatus cuLaunchKernelEx(LaunchConfig* configuration, nint function, void** arguments, void** extra);

    [LibraryImport(Library)] public static partial CudaStatus cuGraphGetNodes(nint graph, nint* nodes, nuint* count);

    [LibraryImport(Library)]
    public static partial CudaStatus cuTensorMapEncodeTiled(
        void* map, int dataType, uint rank, ulong address, ulong* sizes, ulong* strides, uint* box, uint* elementStrides, int interleave, int swizzle,
        int promotion, int fill);

    [LibraryImport(Library)]
    public static partial CudaStatus cuTensorMapEncodeIm2col(
        void* map, int dataType, uint rank, ulong address, ulong* sizes, ulong* strides, int* lower, int* upper, uint channels, uint pixels,
        uint* elementStrides, int interleave, int swizzle, int promotion, int fill);

    /// <summary>Where the calls of a source set go through another assembly: sends those to the library too, or marks it as refused.</summary>
    static partial void Redirect(ref LibrarySearch search);
}
