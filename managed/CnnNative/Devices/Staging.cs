using CnnNative.Interop;

namespace CnnNative;

/// <summary>
/// Carries host bytes to and from a device through two pieces of pinned memory in turn: while the device copies from one,
/// the host fills the other.
/// </summary>
internal sealed class Staging : IDisposable
{
    private const int PieceBytes = 4 << 20;
    private readonly CudaStream stream;
    private readonly Lock gate = new();
    private readonly Piece[] pieces;
    private int next;

    public Staging(CudaStream stream)
    {
        this.stream = stream;
        pieces = [new(stream.Context), new(stream.Context)];
    }

    /// <summary>Copies to the device. On return the source may change; the device may still be copying.</summary>
    public void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        lock (gate)
        {
            for (var start = 0; start < source.Length; start += PieceBytes)
            {
                var part = source.Slice(start, Math.Min(PieceBytes, source.Length - start));
                var piece = pieces[next++ % pieces.Length];
                part.CopyTo(piece.Ready(part.Length));
                stream.CopyToDevice(target.Plus(start), piece.Memory, 0, part.Length);
                piece.Done.Record(stream);
            }
        }
    }

    /// <summary>Copies to the host, after all work before it; on return the bytes are there. While the host empties one piece the device fills the other.</summary>
    public void Read(DevicePointer source, Span<byte> target)
    {
        if (target.IsEmpty) return;
        var bytes = target.Length;
        lock (gate)
        {
            var filling = Fetch(0);
            for (var start = 0; start < bytes; start += PieceBytes)
            {
                var filled = filling;
                if (start + PieceBytes < bytes) filling = Fetch(start + PieceBytes);
                filled.Ready(PartBytes(start)).CopyTo(target[start..]);
            }
        }

        int PartBytes(int start) => Math.Min(PieceBytes, bytes - start);

        Piece Fetch(int start)
        {
            var piece = pieces[next++ % pieces.Length];
            piece.Ready(PartBytes(start));
            stream.CopyToHost(piece.Memory, 0, source.Plus(start), PartBytes(start));
            piece.Done.Record(stream);
            return piece;
        }
    }

    public void Dispose()
    {
        foreach (var piece in pieces) piece.Dispose();
    }

    /// <summary>A piece of pinned memory, and the mark behind the last copy that uses it. Made at its first use.</summary>
    private sealed class Piece(CudaContext context) : IDisposable
    {
        private PinnedMemory? memory;
        private CudaEvent? done;

        public PinnedMemory Memory => memory ??= PinnedMemory.Allocate(context, PieceBytes);

        public CudaEvent Done => done ??= CudaEvent.Create(context);

        /// <summary>The memory, when no copy uses it any more.</summary>
        public Span<byte> Ready(int bytes)
        {
            done?.Synchronize();
            return Memory.Span(0, bytes);
        }

        public void Dispose()
        {
            done?.Dispose();
            memory?.Dispose();
        }
    }
}
