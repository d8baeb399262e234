using System.Text;
using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>PTX that the driver compiled for a device.</summary>
public sealed unsafe class CudaModule : CudaObject
{
    private const int LogBytes = 16 << 10;

    private CudaModule(CudaContext context, string name) : base(context) => Name = name;

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>What the compiler said: registers and spills per kernel, warnings; may be empty.</summary>
    public string Log { get; private set; } = "";

    /// <summary>Compiles and loads PTX.</summary>
    /// <param name="context">Where.</param>
    /// <param name="name">Name for messages.</param>
    /// <param name="ptx">The text, in ASCII, with or without a zero at its end.</param>
    /// <exception cref="CudaException">It does not compile, or needs a newer driver; the message holds the compiler's log.</exception>
    public static CudaModule Load(CudaContext context, string name, ReadOnlySpan<byte> ptx)
    {
        var module = new CudaModule(context, name);
        try
        {
            context.Bind();
            module.Load(Terminated(ptx));
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    /// <summary>A kernel of the module.</summary>
    /// <param name="entry">Its name in the PTX.</param>
    /// <exception cref="CudaException">The module has no such entry.</exception>
    public CudaFunction Function(string entry)
    {
        using var use = Use();
        Context.Bind();
        nint raw = 0;
        fixed (byte* text = Terminated(Encoding.UTF8.GetBytes(entry)))
            RawDriver.cuModuleGetFunction(&raw, Raw, text).Check("cuModuleGetFunction", () => $"kernel {entry} of module {Name}");
        return new CudaFunction(this, entry, raw);
    }

    private static byte[] Terminated(ReadOnlySpan<byte> text)
    {
        var copy = new byte[text.Length + 1];
        text.CopyTo(copy);
        return copy;
    }

    private void Load(byte[] ptx)
    {
        var errors = new byte[LogBytes];
        var infos = new byte[LogBytes];
        CudaStatus status;
        nint raw = 0;
        fixed (byte* image = ptx, error = errors, info = infos)
        {
            JitOption* options = stackalloc JitOption[]
            {
                JitOption.ErrorLogBuffer, JitOption.ErrorLogBufferSizeBytes, JitOption.InfoLogBuffer, JitOption.InfoLogBufferSizeBytes, JitOption.LogVerbose,
            };
            void** values = stackalloc void*[] { error, (void*)LogBytes, info, (void*)LogBytes, (void*)1 };
            status = RawDriver.cuModuleLoadDataEx(&raw, image, 5, options, values);
        }

        Log = Text(infos);
        if (status == CudaStatus.UnsupportedPtxVersion)
            Status.Throw("cuModuleLoadDataEx", status, $"module {Name}: this driver knows CUDA {CudaDriver.Version / 1000}.{CudaDriver.Version % 1000 / 10}; the PTX needs a newer one. {Text(errors)}");
        status.Check("cuModuleLoadDataEx", () => $"module {Name}: {Text(errors)}");
        SetHandle(raw);

        static string Text(byte[] log) => Encoding.UTF8.GetString(log.AsSpan(0, Math.Max(0, log.AsSpan().IndexOf((byte)0)))).Trim();
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuModuleUnload(handle);
}
