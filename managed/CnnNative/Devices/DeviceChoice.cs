namespace CnnNative;

/// <summary>How a device was chosen.</summary>
/// <param name="Device">The device.</param>
/// <param name="Reason">Why this one: that it is usable, or why no GPU was.</param>
public sealed record DeviceChoice(Device Device, string Reason)
{
    /// <summary>The first GPU that is usable, if there is one, else the CPU with one thread per core.</summary>
    /// <param name="openCpu">Opens the CPU; the shared one if null.</param>
    public static DeviceChoice Best(Func<CpuDevice>? openCpu = null)
    {
        var search = new GpuSearch();
        return search.Open() is { } device
            ? new(device, $"{device.Info.Name} is usable")
            : new(openCpu?.Invoke() ?? CpuDevice.Shared, $"no usable GPU: {search.Obstacles}");
    }
}
