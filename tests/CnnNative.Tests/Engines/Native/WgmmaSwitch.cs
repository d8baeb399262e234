using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Which kernels of matrix units a test means: those of compute capability 9.0 wherever they can, or none of them. Disposing restores the plan's choice.</summary>
internal sealed class WgmmaSwitch : IDisposable
{
    private readonly NativeContext context;
    private readonly WgmmaUse before;

    private WgmmaSwitch(NativeContext context, WgmmaUse use) => (this.context, before, context.Wgmma) = (context, context.Wgmma, use);

    public static WgmmaSwitch To(bool wgmma, Device device)
    {
        var context = ((NativeEngine)device.Engine).Context;
        if (wgmma && context.Info.ComputeCapability != 90) Assert.Ignore($"{context.Info.Name} has compute capability {context.Info.ComputeCapability}: wgmma is of 9.0 alone");
        return new(context, wgmma ? WgmmaUse.WherePossible : WgmmaUse.Never);
    }

    public void Dispose() => context.Wgmma = before;
}
