namespace CnnNative.Interop;

/// <summary>What a call of the CUDA driver returned (CUresult). The numbers that this library acts on have names; any other is kept as it came.</summary>
public enum CudaStatus
{
    /// <summary>No error.</summary>
    Success = 0,

    /// <summary>An argument is out of range.</summary>
    InvalidValue = 1,

    /// <summary>Not enough memory.</summary>
    OutOfMemory = 2,

    /// <summary>The driver is shutting down with the process.</summary>
    Deinitialized = 4,

    /// <summary>There is no device.</summary>
    NoDevice = 100,

    /// <summary>The module has no code for this device.</summary>
    NoBinaryForGpu = 209,

    /// <summary>The PTX does not compile; the log says where.</summary>
    InvalidPtx = 218,

    /// <summary>The PTX needs a newer driver.</summary>
    UnsupportedPtxVersion = 222,

    /// <summary>A name was not found.</summary>
    NotFound = 500,

    /// <summary>The work is still running.</summary>
    NotReady = 600,

    /// <summary>A kernel read or wrote outside its memory; the context is lost.</summary>
    IllegalAddress = 700,

    /// <summary>A launch asks for more than the device has.</summary>
    LaunchOutOfResources = 701,
}
