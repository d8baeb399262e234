using System.Runtime.InteropServices;

namespace CnnNative.Tests.Devices;

/// <summary>A backend with a limit, so that running out needs no large machine.</summary>
internal sealed unsafe class TinyMemory(long limit) : IMemoryBackend
{
    private long allocated;

    public string Name => "tiny";

    /// <summary>Bytes that the pool holds, live or cached.</summary>
    public long Allocated => allocated;

    public bool CanFree { get; set; } = true;

    public nint Allocate(long bytes)
    {
        if (Interlocked.Add(ref allocated, bytes) <= limit) return (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        Interlocked.Add(ref allocated, -bytes);
        return 0;
    }

    public void Free(nint address, long bytes)
    {
        Interlocked.Add(ref allocated, -bytes);
        NativeMemory.AlignedFree((void*)address);
    }
}
