using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using CnnNative.Interop;

namespace CnnNative.TestKit;

/// <summary>What the emulated driver offers tests beside the CUDA driver API and its counters (native/emulator/driver/cnn_emulator.h).</summary>
public static unsafe class Emulator
{
    private static readonly Lazy<nint> Library = new(() =>
    {
        CudaUnderTest.Prepare();
        return CudaDriver.IsEmulated ? CudaDriver.Search.Handle : throw new InvalidOperationException("the driver under test is not the emulated one");
    });

    /// <summary>Whether the driver under test is the emulated one.</summary>
    public static bool IsUsed
    {
        get
        {
            CudaUnderTest.Prepare();
            return CudaDriver.IsEmulated;
        }
    }

    /// <summary>Driver calls so far, of all threads.</summary>
    public static ulong CallCount => ((delegate* unmanaged<ulong>)Export("cnnEmulatorCallCount"))();

    /// <summary>What is alive in the driver.</summary>
    public static LiveObjects Live
    {
        get
        {
            LiveObjects objects;
            var status = ((delegate* unmanaged<LiveObjects*, int>)Export("cnnEmulatorLiveObjects"))(&objects);
            return status == 0 ? objects : throw new InvalidOperationException($"cnnEmulatorLiveObjects: {status}");
        }
    }

    /// <summary>Lets the call-th driver call from now on (1: the next) fail with a status; 0 clears.</summary>
    public static void FailCall(ulong call, CudaStatus status) => ((delegate* unmanaged<ulong, int, void>)Export("cnnEmulatorFailCall"))(call, (int)status);

    /// <summary>Lets the call-th call of a driver function from now on (1: the next) fail with a status; 0 clears.</summary>
    /// <returns>How many calls the failure asked for before still waits for: 0 when it has happened.</returns>
    public static ulong FailFunction(string function, ulong call, CudaStatus status)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(function + '\0'))
            return ((delegate* unmanaged<byte*, ulong, int, ulong>)Export("cnnEmulatorFailFunction"))(name, call, (int)status);
    }

    /// <summary>Launches from now on take blocks and warps in another order; 0 is the order that they have without being asked.</summary>
    public static void Reorder(int seed) => CudaUnderTest.SetVariable("CNN_EMULATOR_SEED", seed.ToString(CultureInfo.InvariantCulture));

    private static nint Export(string name) => NativeLibrary.GetExport(Library.Value, name);
}

/// <summary>cnnEmulatorObjects.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LiveObjects(
    ulong Contexts, ulong Modules, ulong Libraries, ulong Streams, ulong Events, ulong Graphs, ulong GraphExecs, ulong Pools, ulong Allocations,
    ulong AllocatedBytes, ulong HostAllocations, ulong HostBytes, ulong PendingOperations)
{
    /// <summary>How many there are of all kinds.</summary>
    public long Objects => (long)(Contexts + Modules + Libraries + Streams + Events + Graphs + GraphExecs + Pools + Allocations + HostAllocations);
}
