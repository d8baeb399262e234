namespace CnnNative.Engines.Native;

/// <summary>What the generated table knows of a kernel.</summary>
/// <param name="Module">The source that it comes from, without ending.</param>
/// <param name="Name">Its name in the PTX.</param>
/// <param name="MaxThreads">Threads of a block that it was compiled for.</param>
/// <param name="Targets">What its module is compiled for, such as "sm_80 sm_90a".</param>
internal readonly record struct KernelEntry(string Module, string Name, int MaxThreads, string Targets);
