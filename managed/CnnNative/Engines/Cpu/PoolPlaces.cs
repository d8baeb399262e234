using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CnnNative.Engines.Cpu;

/// <summary>Where the positions of maxima are kept: in bytes, in integers, or nowhere. Index by output element, NCHW order.</summary>
internal interface IPoolPlaces
{
    /// <summary>Whether positions are kept at all.</summary>
    static abstract bool Kept { get; }

    /// <summary>The position of one maximum.</summary>
    int this[long at] { get; set; }

    /// <summary>Writes sixteen positions, or as many as there is room for.</summary>
    void Store(Vector512<int> places, long at, long room);
}

/// <summary>No positions: no gradient will be asked for.</summary>
internal readonly struct NoPlaces : IPoolPlaces
{
    public static bool Kept => false;

    public int this[long at]
    {
        get => throw new InvalidOperationException("positions were not kept");
        set { }
    }

    public void Store(Vector512<int> places, long at, long room)
    {
    }
}

/// <summary>Positions below 256.</summary>
internal readonly unsafe struct BytePlaces(byte* places) : IPoolPlaces
{
    private readonly byte* bytes = places;

    public static bool Kept => true;

    public int this[long at]
    {
        get => bytes[at];
        set => bytes[at] = (byte)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector512<int> places, long at, long room)
    {
        var narrow = Narrow(places);
        if (room >= Lanes.Count)
        {
            narrow.Store(bytes + at);
            return;
        }

        var (low, high) = (narrow.AsUInt64()[0], narrow.AsUInt64()[1]);
        for (var i = 0; i < room; i++) bytes[at + i] = (byte)((i < 8 ? low : high) >> 8 * (i & 7));
    }

    /// <summary>Sixteen positions from memory, 0 beyond the room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<int> Load(long at, long room)
    {
        if (room >= Lanes.Count) return Widen(Vector128.Load(bytes + at));
        ulong low = 0, high = 0;
        for (var i = 0; i < room; i++)
        {
            if (i < 8) low |= (ulong)bytes[at + i] << 8 * i;
            else high |= (ulong)bytes[at + i] << 8 * (i & 7);
        }

        return Widen(Vector128.Create(low, high).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Narrow(Vector512<int> places)
    {
        if (Avx512F.IsSupported) return Avx512F.ConvertToVector128Byte(places);
        var words = Vector256.Narrow(places.GetLower(), places.GetUpper());
        return Vector128.Narrow(words.GetLower().AsUInt16(), words.GetUpper().AsUInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Widen(Vector128<byte> places)
    {
        if (Avx512F.IsSupported) return Avx512F.ConvertToVector512Int32(places);
        var (low, high) = Vector128.Widen(places);
        var (first, second) = Vector256.Widen(Vector256.Create(low, high));
        return Vector512.Create(first, second).AsInt32();
    }
}

/// <summary>Positions in windows of more than 256 elements.</summary>
internal readonly unsafe struct IntPlaces(int* places) : IPoolPlaces
{
    private readonly int* integers = places;

    public static bool Kept => true;

    public int this[long at]
    {
        get => integers[at];
        set => integers[at] = value;
    }

    public void Store(Vector512<int> places, long at, long room) => places.AsSingle().StoreFirst((float*)(integers + at), room);
}
