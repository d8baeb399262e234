namespace CnnNative;

/// <summary>What the driver's compiler made of a kernel.</summary>
/// <param name="Name">The kernel.</param>
/// <param name="Module">The source that it comes from.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="Registers">Registers per thread; the emulated driver estimates them.</param>
/// <param name="LocalBytes">Local memory per thread in bytes: arrays that do not fit registers, and what was spilled.</param>
/// <param name="StaticSharedBytes">Static shared memory per block in bytes.</param>
/// <param name="BlocksPerMultiprocessor">Blocks that run on a multiprocessor at a time, without dynamic shared memory.</param>
/// <param name="CompilerLog">What the compiler said of its module; may be empty.</param>
public sealed record CompiledKernel(string Name, string Module, int Threads, int Registers, int LocalBytes, int StaticSharedBytes, int BlocksPerMultiprocessor, string CompilerLog);
