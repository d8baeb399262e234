using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using CnnNative.Interop.Raw;

namespace CnnNative.Interop;

/// <summary>Turns the driver's statuses into exceptions, once, at the call.</summary>
internal static unsafe class Status
{
    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="status">What the call returned.</param>
    /// <param name="call">The driver's function.</param>
    public static void Check(this CudaStatus status, string call)
    {
        if (status != CudaStatus.Success) Throw(call, status, "");
    }

    /// <summary>Throws unless the call succeeded, with what was attempted.</summary>
    public static void Check(this CudaStatus status, string call, Func<string> detail)
    {
        if (status != CudaStatus.Success) Throw(call, status, detail());
    }

    [DoesNotReturn]
    public static void Throw(string call, CudaStatus status, string detail)
    {
        var report = EmulatorReport.Read(status);
        if (report.Length > 0) detail = detail.Length == 0 ? report : $"{detail}: {report}";
        throw status == CudaStatus.OutOfMemory
            ? new CudaOutOfMemoryException(call, Describe(status), detail)
            : new CudaException(call, status, Describe(status), detail);
    }

    /// <summary>"CUDA_ERROR_INVALID_PTX (218): a PTX JIT compilation failed", as the driver words it.</summary>
    public static string Describe(CudaStatus status)
    {
        byte* name = null, text = null;
        if (Driver.cuGetErrorName(status, &name) != CudaStatus.Success || name is null) return $"status {(int)status}, which this driver does not name";
        return Driver.cuGetErrorString(status, &text) == CudaStatus.Success && text is not null
            ? $"{Marshal.PtrToStringUTF8((nint)name)} ({(int)status}): {Marshal.PtrToStringUTF8((nint)text)}"
            : $"{Marshal.PtrToStringUTF8((nint)name)} ({(int)status})";
    }
}
