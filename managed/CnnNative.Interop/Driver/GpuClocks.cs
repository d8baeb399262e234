using System.Runtime.InteropServices;
using System.Text;

namespace CnnNative.Interop;

/// <summary>The clocks that a GPU runs at, read through NVIDIA's management library (NVML). Nothing is set.</summary>
/// <remarks>Source: NVML API reference, device queries.</remarks>
public sealed unsafe class GpuClocks
{
    private const int Multiprocessor = 1, Memory = 2;

    private readonly delegate* unmanaged<nint, int, uint*, int> getClock;
    private readonly nint device;

    private GpuClocks(nint getClock, nint device)
    {
        this.getClock = (delegate* unmanaged<nint, int, uint*, int>)getClock;
        this.device = device;
    }

    /// <summary>Finds the library and the device in it; null where there is none, as with the emulated driver.</summary>
    /// <param name="info">The device.</param>
    public static GpuClocks? Open(CudaDeviceInfo info) => CudaDriver.IsEmulated ? null : Open(LibraryFinder.Find(CudaLibrary.Management), info.PciBus);

    internal static GpuClocks? Open(LibrarySearch search, string pciBus)
    {
        if (!Export("nvmlInit_v2", out var init) || !Export("nvmlDeviceGetHandleByPciBusId_v2", out var find) || !Export("nvmlDeviceGetClockInfo", out var getClock)) return null;
        if (((delegate* unmanaged<int>)init)() != 0) return null;
        nint device = 0;
        fixed (byte* bus = Encoding.ASCII.GetBytes(pciBus + '\0'))
            return ((delegate* unmanaged<byte*, nint*, int>)find)(bus, &device) == 0 ? new GpuClocks(getClock, device) : null;

        bool Export(string name, out nint address)
        {
            address = 0;
            return search.Found && NativeLibrary.TryGetExport(search.Handle, name, out address);
        }
    }

    /// <summary>What the multiprocessors and the memory run at now, in MHz; null where the library does not say.</summary>
    public (int Multiprocessors, int Memory)? Megahertz()
    {
        uint multiprocessors = 0, memory = 0;
        return getClock(device, Multiprocessor, &multiprocessors) == 0 && getClock(device, Memory, &memory) == 0 ? ((int)multiprocessors, (int)memory) : null;
    }
}
