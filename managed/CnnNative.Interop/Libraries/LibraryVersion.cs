using System.Runtime.InteropServices;

namespace CnnNative.Interop;

/// <summary>Asks a loaded library of NVIDIA's for its version.</summary>
public static unsafe class LibraryVersion
{
    private const int Major = 0, Minor = 1, Patch = 2;

    /// <summary>"9.10.2" for cuDNN, "12.8.4" for cuBLAS; null when the library does not say.</summary>
    /// <param name="search">A library that was found.</param>
    public static string? Read(LibrarySearch search)
    {
        if (!search.Found) return null;
        if (search.Library == CudaLibrary.Driver) return Text(CudaDriver.Version);
        if (search.Library == CudaLibrary.Cudnn) return Cudnn(search.Handle);
        return search.Library == CudaLibrary.Cublas ? Cublas(search.Handle) : null;
    }

    /// <summary>12080 as "12.8".</summary>
    /// <param name="version">1000 * major + 10 * minor.</param>
    public static string Text(int version) => $"{version / 1000}.{version % 1000 / 10}";

    /// <summary>cudnnGetVersion: 10000 * major + 100 * minor + patch from version 9 on, 1000 * major before.</summary>
    private static string? Cudnn(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "cudnnGetVersion", out var function)) return null;
        var version = (long)((delegate* unmanaged<nuint>)function)();
        return version >= 90_000
            ? $"{version / 10_000}.{version % 10_000 / 100}.{version % 100}"
            : $"{version / 1000}.{version % 1000 / 100}.{version % 100}";
    }

    private static string? Cublas(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "cublasGetProperty", out var function)) return null;
        var get = (delegate* unmanaged<int, int*, int>)function;
        int major, minor, patch;
        return get(Major, &major) == 0 && get(Minor, &minor) == 0 && get(Patch, &patch) == 0 ? $"{major}.{minor}.{patch}" : null;
    }
}
