using System.Runtime.InteropServices;

namespace CnnNative.Interop;

/// <summary>
/// An object of the CUDA driver. It counts a reference on its parent, so that a context outlives its modules, streams and
/// memory whatever order they are disposed or finalised in. Pass the object itself: a call in flight keeps it alive.
/// </summary>
public abstract class CudaHandle : SafeHandle
{
    private readonly CudaHandle? parent;

    private protected CudaHandle(CudaHandle? parent) : base(0, ownsHandle: true)
    {
        if (parent is null) return;
        var added = false;
        parent.DangerousAddRef(ref added);
        this.parent = parent;
    }

    /// <summary>Never: also an object whose making failed has its parent's reference to give back.</summary>
    public override bool IsInvalid => false;

    /// <summary>The driver's handle, for a call that is covered by <see cref="Use"/> or runs on the maker's thread.</summary>
    internal nint Raw => handle;

    /// <summary>Keeps the object alive until the returned guard is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The object was disposed.</exception>
    internal Usage Use() => new(this);

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle()
    {
        var status = handle == 0 ? CudaStatus.Success : Destroy(handle);
        Released();
        parent?.DangerousRelease();
        // At the end of the process the driver may go first; then there is nothing left to free.
        return status is CudaStatus.Success or CudaStatus.Deinitialized;
    }

    /// <summary>Gives the object back to the driver. Called once, possibly by the finalizer thread.</summary>
    private protected abstract CudaStatus Destroy(nint handle);

    /// <summary>Gives further references back; called after <see cref="Destroy"/>.</summary>
    private protected virtual void Released()
    {
    }

    /// <summary>A counted use of an object.</summary>
    internal readonly ref struct Usage
    {
        private readonly CudaHandle target;

        public Usage(CudaHandle target)
        {
            var added = false;
            target.DangerousAddRef(ref added);
            this.target = target;
        }

        public void Dispose() => target.DangerousRelease();
    }
}
