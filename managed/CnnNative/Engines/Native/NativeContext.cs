using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>What the families of the native engine share: the kernels, the device's facts, working memory.</summary>
internal sealed class NativeContext(CudaDevice device, CudaStream stream)
{
    /// <summary>Typed launches, in the order of the device's stream.</summary>
    public Kernels Kernels { get; } = new(stream);

    /// <summary>What the device has.</summary>
    public CudaDeviceInfo Info => stream.Context.Device;

    /// <summary>Whether products of fp32 may be rounded to tf32.</summary>
    public bool AllowTf32 => device.AllowTf32;

    /// <summary>When products of halves go to the matrix units of compute capability 9.0; tests choose.</summary>
    public WgmmaUse Wgmma { get; set; } = WgmmaUses.Of(stream.Context.Device.ComputeCapability);

    /// <summary>The stream that everything runs in.</summary>
    public CudaStream Stream => stream;

    /// <summary>
    /// Added to the stream number of random kernels: null, but in a captured step, whose replays draw other numbers.
    /// </summary>
    public DevicePointer RandomBase => device.Recorder?.RandomBase ?? DevicePointer.Null;

    /// <summary>Where an optimizer's kernel reads its rate and step count: null, but in a captured step.</summary>
    public DevicePointer Clock => device.Recorder?.Clock ?? DevicePointer.Null;

    /// <summary>Working memory for the kernels of one operation; given back in the order of the stream when it is disposed.</summary>
    /// <param name="bytes">How much; its content is not set.</param>
    /// <exception cref="DeviceOutOfMemoryException">The device has not enough memory.</exception>
    public Workspace Rent(long bytes) => new(new Storage(device.Memory, bytes));
}

/// <summary>Working memory of one operation; the default is none. Use with <c>using</c>.</summary>
internal readonly ref struct Workspace(Storage? storage)
{
    /// <summary>Its address.</summary>
    public DevicePointer Pointer => storage is null ? DevicePointer.Null : new((ulong)storage.Address);

    public static implicit operator DevicePointer(Workspace workspace) => workspace.Pointer;

    public void Dispose() => storage?.Release();
}
