namespace CnnNative.Interop;

/// <summary>An object that lives in a context.</summary>
public abstract class CudaObject : CudaHandle
{
    private protected CudaObject(CudaContext context) : base(context) => Context = context;

    /// <summary>The context.</summary>
    public CudaContext Context { get; }

    private protected sealed override CudaStatus Destroy(nint handle) => Context.While(() => Free(handle));

    /// <summary>Gives the object back to the driver; its context is current.</summary>
    private protected abstract CudaStatus Free(nint handle);

    /// <summary>Makes the driver's object with the context current; on failure the half-made object is disposed.</summary>
    private protected static T Make<T>(T target, string call, Func<T, (CudaStatus Status, nint Handle)> make) where T : CudaObject
    {
        try
        {
            target.Context.Bind();
            var (status, handle) = make(target);
            status.Check(call, target.Describe);
            target.SetHandle(handle);
            return target;
        }
        catch
        {
            target.Dispose();
            throw;
        }
    }
}
