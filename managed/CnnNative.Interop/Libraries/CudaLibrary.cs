namespace CnnNative.Interop;

/// <summary>One of NVIDIA's libraries: what its files are called, and which variable names a file outright.</summary>
/// <param name="Name">Name for messages.</param>
/// <param name="Export">A function that it has and other libraries have not.</param>
/// <param name="Variable">Environment variable that holds a path; when it is set no other place is tried.</param>
/// <param name="LinuxFiles">File names on Linux, best first.</param>
/// <param name="WindowsFiles">File names on Windows, best first.</param>
public sealed record CudaLibrary(string Name, string Export, string Variable, IReadOnlyList<string> LinuxFiles, IReadOnlyList<string> WindowsFiles)
{
    /// <summary>The CUDA driver.</summary>
    public static CudaLibrary Driver { get; } = new("CUDA driver", "cuInit", "CNN_CUDA_DRIVER", ["libcuda.so.1"], ["nvcuda.dll"]);

    /// <summary>cuDNN.</summary>
    public static CudaLibrary Cudnn { get; } = new("cuDNN", "cudnnGetVersion", "CNN_CUDNN", ["libcudnn.so.9", "libcudnn.so.8"], ["cudnn64_9.dll", "cudnn64_8.dll"]);

    /// <summary>cuBLAS.</summary>
    public static CudaLibrary Cublas { get; } = new(
        "cuBLAS", "cublasGetProperty", "CNN_CUBLAS", ["libcublas.so.13", "libcublas.so.12"], ["cublas64_13.dll", "cublas64_12.dll"]);

    /// <summary>NVIDIA's management library, NVML; it comes with the driver.</summary>
    public static CudaLibrary Management { get; } = new("NVML", "nvmlInit_v2", "CNN_NVML", ["libnvidia-ml.so.1"], ["nvml.dll"]);

    /// <summary>The file names on this system, best first.</summary>
    public IReadOnlyList<string> Files => OperatingSystem.IsWindows() ? WindowsFiles : LinuxFiles;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
