using CnnNative.Engines.Native;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>Looks for a GPU that can run the kernels, and remembers what is in the way of each.</summary>
internal sealed class GpuSearch
{
    /// <summary>Least compute capability that the kernels are compiled for.</summary>
    private const int LeastCapability = 80;

    private readonly List<string> obstacles = [];

    /// <summary>What was in the way, in the order found.</summary>
    public string Obstacles => string.Join("; ", obstacles);

    /// <summary>The first usable GPU of this machine, opened; null if there is none.</summary>
    public CudaDevice? Open()
    {
        if (ObstacleOfMachine() is { } obstacle)
        {
            obstacles.Add(obstacle);
            return null;
        }

        try
        {
            return First(Enumerable.Range(0, CudaDriver.DeviceCount).Select(CudaDriver.Device), info => CudaDevice.Open(info.Ordinal));
        }
        catch (Exception error) when (error is CudaException or DriverTooOldException)
        {
            obstacles.Add(error.Message);
            return null;
        }
    }

    /// <summary>The first device that can be used and opened.</summary>
    /// <param name="devices">All of them.</param>
    /// <param name="open">Opens one.</param>
    public T? First<T>(IEnumerable<CudaDeviceInfo> devices, Func<CudaDeviceInfo, T> open) where T : class
    {
        foreach (var info in devices)
        {
            try
            {
                if (info.ComputeCapability >= LeastCapability) return open(info);
                obstacles.Add($"{info.Name} has compute capability {info.ComputeCapability / 10}.{info.ComputeCapability % 10}, the kernels need 8.0");
            }
            catch (CudaException error)
            {
                obstacles.Add($"{info.Name}: {error.Message}");
            }
        }

        if (obstacles.Count == 0) obstacles.Add("the CUDA driver knows no device");
        return null;
    }

    private static string? ObstacleOfMachine()
    {
        if (!CudaDriver.Search.Found) return "no CUDA driver was found";
        if (CudaDriver.IsEmulated) return "the CUDA driver is the emulated one, which is for tests and has to be asked for";
        return PtxSource.IsPresent ? NativeKernels.Obstacle(CudaDriver.Version) : "this build has no kernels";
    }
}
