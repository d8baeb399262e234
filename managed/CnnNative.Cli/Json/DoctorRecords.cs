namespace CnnNative.Cli.Json;

/// <summary>What <c>cnn doctor --json</c> reports; kernels and the compiler's logs by module only with --kernels.</summary>
internal sealed record DoctorJson(
    LibraryJson Driver, string? CudaVersion, string PtxVersionNeeded, bool HasKernels, IReadOnlyList<GpuJson> Devices, LibraryJson Cudnn, LibraryJson Cublas,
    string DefaultEngine, string Reason, IReadOnlyList<KernelJson>? Kernels, IReadOnlyDictionary<string, string>? CompilerLogs, IReadOnlyList<string> Problems);

/// <summary>A library of NVIDIA's: the file taken, its version, and every place with what became of it.</summary>
internal sealed record LibraryJson(string Name, bool Found, string? Path, string? Version, IReadOnlyList<PlaceJson> Places);

/// <summary>A place where a library was looked for; refused is null for the one that was taken.</summary>
internal sealed record PlaceJson(string Path, string Origin, string? Refused);

/// <summary>A device of the CUDA driver.</summary>
internal sealed record GpuJson(
    int Ordinal, string Name, string ComputeCapability, int Multiprocessors, long TotalBytes, long L2Bytes, int MaxSharedBytesPerBlock, bool Emulated);

/// <summary>What the driver's compiler made of a kernel.</summary>
internal sealed record KernelJson(string Name, string Module, int Threads, int Registers, int LocalBytes, int StaticSharedBytes, int BlocksPerMultiprocessor);
