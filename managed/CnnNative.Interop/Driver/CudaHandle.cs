using System.Runtime.InteropServices;

namespace CnnNative.Interop;

/// <summary>
/// An object of the CUDA driver. It counts a reference on its parent, so that a context outlives its modules, streams and
/// memory whatever order they are disposed or finalised in. Pass the object itself: a call in flight keeps it alive.
/// </summary>
public abstract class CudaHandle : SafeHandle
{
    private readonly CudaHandle? parent;

    private protected CudaHandle(CudaHandle? parent) : base(0, ownsHandle: true) => this.parent = Held(parent);

    /// <summary>Never: also an object whose making failed has its parent's reference to give back.</summary>
    public override bool IsInvalid => false;

    /// <summary>The driver's handle, for a call that is covered by <see cref="Use"/> or runs on the maker's thread.</summary>
    internal nint Raw => handle;

    /// <summary>Keeps the object alive until the returned guard is disposed. A disposed one that others still hold works on: a stream goes on in its disposed context.</summary>
    /// <exception cref="ObjectDisposedException">The object was disposed, and nothing holds it any more.</exception>
    internal Usage Use() => new(this);

    /// <summary>
    /// Counts a reference that <see cref="ReleaseHandle"/> or <see cref="Released"/> gives back. Assign what this returns and nothing else: the
    /// finalizer of an object whose constructor failed then gives back only what was counted.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The object was disposed, and nothing holds it any more.</exception>
    private protected static T? Held<T>(T? target) where T : CudaHandle
    {
        var added = false;
        target?.DangerousAddRef(ref added);
        return target;
    }

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle()
    {
        var status = handle == 0 ? CudaStatus.Success : Destroy(handle);
        Released();
        parent?.DangerousRelease();
        // At the end of the process the driver may go first; then there is nothing left to free.
        if (status is CudaStatus.Success or CudaStatus.Deinitialized) return true;
        RefusedRelease.Note(new(Describe(), status));
        return false;
    }

    /// <summary>What the object is, for messages.</summary>
    private protected virtual string Describe() => GetType().Name;

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

        public Usage(CudaHandle target) => this.target = Held(target)!;

        public void Dispose() => target.DangerousRelease();
    }
}
