using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// A stream of random numbers for a kernel, and where the number lies that is added to the stream's, if anywhere; the twin of the
/// structure in native/kernels/common/philox.h.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct RandomSource(RandomStream stream, DevicePointer randomBase)
{
    private readonly ulong seed = stream.Seed, number = stream.Stream;
    private readonly DevicePointer randomBase = randomBase;
}
