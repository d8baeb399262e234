using System.Runtime.InteropServices;
using System.Text;

namespace CnnNative.Interop;

/// <summary>What the emulated driver can say beyond a status: where a kernel went wrong, and why a call was refused.</summary>
internal static unsafe class EmulatorReport
{
    private const int Longest = 8 << 10;

    /// <summary>The reason of this thread's last failed call and, where a kernel or copy was at fault, the report of that; empty under a real driver.</summary>
    public static string Read(CudaStatus status)
    {
        if (!CudaDriver.IsEmulated) return "";
        var message = Text("cnnEmulatorLastMessage");
        var report = status >= CudaStatus.IllegalAddress ? Text("cnnEmulatorLastReport") : "";
        return report.Length == 0 || message.Contains(report, StringComparison.Ordinal) ? message : $"{message}\n{report}";
    }

    private static string Text(string function)
    {
        if (!NativeLibrary.TryGetExport(CudaDriver.Search.Handle, function, out var address)) return "";
        var buffer = new byte[Longest];
        fixed (byte* text = buffer) ((delegate* unmanaged<byte*, nuint, nuint>)address)(text, Longest);
        return Encoding.UTF8.GetString(buffer.AsSpan(0, Math.Max(0, buffer.AsSpan().IndexOf((byte)0)))).Trim();
    }
}
