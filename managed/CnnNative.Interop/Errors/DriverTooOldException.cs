namespace CnnNative.Interop;

/// <summary>The CUDA driver lacks functions that this library calls; the message names the driver that has them.</summary>
public sealed class DriverTooOldException : NotSupportedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="obstacle">What the driver knows, and which one is needed.</param>
    public DriverTooOldException(string obstacle) : base(obstacle)
    {
    }
}
