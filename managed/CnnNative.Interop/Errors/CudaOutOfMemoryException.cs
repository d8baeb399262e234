namespace CnnNative.Interop;

/// <summary>The CUDA driver has not enough memory for a call.</summary>
public sealed class CudaOutOfMemoryException : CudaException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="call">The driver's function.</param>
    /// <param name="description">The driver's name and text of the status.</param>
    /// <param name="detail">What was attempted.</param>
    public CudaOutOfMemoryException(string call, string description, string detail)
        : base(call, CudaStatus.OutOfMemory, description, detail)
    {
    }
}
