namespace CnnNative.Interop;

/// <summary>A call of the CUDA driver failed. The message names the call, the driver's status, and the compiler's log where there is one.</summary>
public class CudaException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="call">The driver's function.</param>
    /// <param name="status">What it returned.</param>
    /// <param name="description">The driver's name and text of that status.</param>
    /// <param name="detail">What was attempted, or the log of the PTX compiler; may be empty.</param>
    public CudaException(string call, CudaStatus status, string description, string detail = "")
        : base($"{call}: {description}" + (detail.Length == 0 ? "" : $": {detail}"))
    {
        Call = call;
        Status = status;
    }

    /// <summary>The driver's function that failed.</summary>
    public string Call { get; }

    /// <summary>What it returned.</summary>
    public CudaStatus Status { get; }
}
