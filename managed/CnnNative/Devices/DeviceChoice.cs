using CnnNative.Engines.Native;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>How a device was chosen.</summary>
/// <param name="Device">The device.</param>
/// <param name="Reason">Why this one: "the best of this machine", or why no GPU was usable.</param>
public sealed record DeviceChoice(Device Device, string Reason)
{
    /// <summary>Least compute capability that the kernels are compiled for.</summary>
    private const int LeastCapability = 80;

    /// <summary>The first GPU if there is a usable one, else the CPU with one thread per core.</summary>
    /// <param name="openCpu">Opens the CPU; the shared one if null.</param>
    public static DeviceChoice Best(Func<CpuDevice>? openCpu = null)
    {
        var obstacle = Obstacle();
        try
        {
            if (obstacle is null && CudaDevice.Open() is var device) return new(device, $"{device.Info.Name} is usable");
        }
        catch (CudaException error)
        {
            obstacle = error.Message;
        }

        return new(openCpu?.Invoke() ?? CpuDevice.Shared, $"no usable GPU: {obstacle}");
    }

    /// <summary>Why there is no usable GPU; null if there is one.</summary>
    private static string? Obstacle()
    {
        if (!CudaDriver.Search.Found) return "no CUDA driver was found";
        if (CudaDriver.IsEmulated) return "the CUDA driver is the emulated one, which is for tests and has to be asked for";
        if (!PtxSource.IsPresent) return "this build has no kernels";
        try
        {
            if (CudaDriver.DeviceCount == 0) return "the CUDA driver knows no device";
            var info = CudaDriver.Device(0);
            return info.ComputeCapability < LeastCapability ? $"{info.Name} has compute capability {info.ComputeCapability / 10}.{info.ComputeCapability % 10}, the kernels need 8.0" : null;
        }
        catch (CudaException error)
        {
            return error.Message;
        }
    }
}
