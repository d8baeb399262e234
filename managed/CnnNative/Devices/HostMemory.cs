using System.Runtime.InteropServices;

namespace CnnNative;

/// <summary>Host memory outside the managed heap, aligned for the widest vectors and for cache lines.</summary>
internal sealed unsafe class HostMemory : IMemoryBackend
{
    private const nuint Alignment = 64;

    public string Name => "cpu";

    public nint Allocate(long bytes)
    {
        try
        {
            return (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        }
        catch (OutOfMemoryException)
        {
            return 0;
        }
    }

    public void Free(nint address, long bytes) => NativeMemory.AlignedFree((void*)address);
}
