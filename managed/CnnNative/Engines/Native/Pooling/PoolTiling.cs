using System.Runtime.InteropServices;

namespace CnnNative.Engines.Native;

/// <summary>How blocks share a pooling in tiles of shared memory; the twin of the structure in native/kernels/pool/tile.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct PoolTiling
{
    public required FastDivisor Slices { get; init; }

    public required FastDivisor Tiles { get; init; }

    public required FastDivisor Strips { get; init; }

    public required FastDivisor Vectors { get; init; }

    public required FastDivisor Columns { get; init; }

    public required FastDivisor Parts { get; init; }

    public required int Rows { get; init; }

    public required int RowsOfPart { get; init; }

    public required FastDivisor SourceColumns { get; init; }

    public required int SourceRows { get; init; }

    public required int Planes { get; init; }

    public required int Outers { get; init; }

    public required int Wide { get; init; }

    public required int PlacesAt { get; init; }

    public required int ResultsAt { get; init; }

    public required int ResultPlacesAt { get; init; }
}
