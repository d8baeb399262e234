namespace CnnNative;

/// <summary>
/// A tensor's elements as a pointer, for the length of one operation; the reference that it counts keeps the memory
/// from being freed under the operation. Use with <c>using</c>.
/// </summary>
internal readonly unsafe ref struct Pinned<T> where T : unmanaged
{
    private readonly Storage storage;

    public Pinned(Storage storage, long offset)
    {
        this.storage = storage;
        Pointer = (T*)storage.Address + offset;
    }

    public T* Pointer { get; }

    public static implicit operator T*(Pinned<T> pinned) => pinned.Pointer;

    public void Dispose() => storage?.Release();
}
