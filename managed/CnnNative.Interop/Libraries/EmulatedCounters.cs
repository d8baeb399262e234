using System.Runtime.InteropServices;
using System.Text;

namespace CnnNative.Interop;

/// <summary>
/// What kernels did, counted by the emulated driver (native/emulator/driver/cnn_emulator.h): instructions, bytes and sectors, bank conflicts.
/// Counts, not time: they hold for every machine that the emulator runs on.
/// </summary>
public static unsafe class EmulatedCounters
{
    /// <summary>Starts counting anew, accesses to memory included.</summary>
    /// <param name="ofBlocks">Also the distinct sectors of each block, which takes time: <see cref="KernelCounters.GlobalLoadBlockSectors"/>.</param>
    /// <exception cref="NotSupportedException">The driver is not the emulated one.</exception>
    public static void Reset(bool ofBlocks = false)
    {
        ((delegate* unmanaged<int, void>)Export("cnnEmulatorProfileDetail"))(ofBlocks ? 2 : 1);
        ((delegate* unmanaged<void>)Export("cnnEmulatorProfileReset"))();
    }

    /// <summary>The counters of one kernel over its launches since the last reset.</summary>
    /// <param name="kernel">Its name in the PTX.</param>
    /// <exception cref="KeyNotFoundException">No kernel of this name has run since.</exception>
    /// <exception cref="NotSupportedException">The driver is not the emulated one.</exception>
    public static KernelCounters Of(string kernel)
    {
        KernelCounters counters;
        var read = (delegate* unmanaged<byte*, KernelCounters*, CudaStatus>)Export("cnnEmulatorProfileRead");
        fixed (byte* name = Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            var status = read(name, &counters);
            if (status == CudaStatus.NotFound) throw new KeyNotFoundException($"EmulatedCounters.Of: no kernel {kernel} has run");
            status.Check("cnnEmulatorProfileRead");
        }

        return counters;
    }

    /// <summary>The counters of all kernels together since the last reset.</summary>
    /// <exception cref="NotSupportedException">The driver is not the emulated one.</exception>
    public static KernelCounters Total()
    {
        KernelCounters counters;
        ((delegate* unmanaged<KernelCounters*, CudaStatus>)Export("cnnEmulatorProfileTotal"))(&counters).Check("cnnEmulatorProfileTotal");
        return counters;
    }

    private static nint Export(string function) =>
        CudaDriver.IsEmulated && NativeLibrary.TryGetExport(CudaDriver.Search.Handle, function, out var address)
            ? address
            : throw new NotSupportedException($"{function}: only the emulated driver counts what kernels do; the driver here is {CudaDriver.Search.Path ?? "missing"}");
}
