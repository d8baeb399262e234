using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The tiles of a pooling and their launch (native/kernels/pool/tile.h).</summary>
/// <param name="Tiling">What the kernels take.</param>
/// <param name="Width">Channels to a thread.</param>
/// <param name="Launch">A block per tile.</param>
internal readonly record struct PoolTilePlan(PoolTiling Tiling, int Width, LaunchConfiguration Launch)
{
    /// <summary>Shared memory of a block, several of which fit a multiprocessor; of slices also the most results of one.</summary>
    private const int MostUnits = 64 * 1024 / UnitBytes, MostUnitsOfRows = 48 * 1024 / UnitBytes;

    /// <summary>Threads that have rows; those that have slices are <see cref="MapLaunch.Threads"/>.</summary>
    private const int RowThreads = 128;

    private const int UnitBytes = 16;

    /// <summary>Larger windows keep too few threads of a tile busy; their places take more than a byte.</summary>
    private const int LargestWindow = 256;

    /// <summary>Vectors of channels of a slice: from a line of L1 to a sector.</summary>
    private const int LineVectors = 8, SectorVectors = 2;

    /// <summary>Bytes that tiles may move, in parts of the least, without trying narrower slices.</summary>
    private const double LittleExcess = 1.1;

    /// <summary>Elements in the whole planes of a block, and blocks that fill the largest devices.</summary>
    private const int EnoughElements = 4096, EnoughBlocks = 264;

    /// <summary>The tiles of y, or null where no window fits.</summary>
    /// <param name="problem">The sizes, of tensors that are not empty.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="type">The elements' type.</param>
    /// <param name="aligned">Whether all addresses are multiples of 16.</param>
    /// <param name="places">Whether there are places of maxima.</param>
    /// <exception cref="EngineNotSupportedException">More tiles than an int counts.</exception>
    public static PoolTilePlan? Forward(in PoolingProblem problem, Layout layout, DType type, bool aligned, bool places) =>
        Of(problem, layout, type, aligned, new(type.Size(), 0, places ? 1 : 0), backward: false);

    /// <summary>The tiles of dx, or null where no window fits.</summary>
    /// <inheritdoc cref="Forward"/>
    public static PoolTilePlan? Backward(in PoolingProblem problem, Layout layout, DType type, bool aligned, bool places) =>
        Of(problem, layout, type, aligned, new(type.Size(), places ? 1 : 0, 0), backward: true);

    private static PoolTilePlan? Of(in PoolingProblem p, Layout layout, DType type, bool aligned, ElementBytes bytes, bool backward)
    {
        if ((long)p.R * p.S > LargestWindow) return null;
        PoolAxis rows = PoolAxis.Rows(p, backward), columns = PoolAxis.Columns(p, backward);
        var width = MapLaunch.Width(type);
        if (layout == Layout.Nhwc && aligned && p.C % width == 0) return Slices(rows, columns, p.N, p.C / width, width, bytes);
        var (outers, inner) = layout == Layout.Nchw ? (p.N * p.C, 1) : (p.N, p.C);
        return RowsOf(rows, columns, outers, inner, aligned, bytes);
    }

    /// <summary>Whole planes or images where one fits, else strips of rows.</summary>
    private static PoolTilePlan? RowsOf(PoolAxis rows, PoolAxis columns, int outers, int inner, bool aligned, ElementBytes bytes)
    {
        long sourceRow = (long)columns.Sources * inner, resultRow = (long)columns.Results * inner;
        TileUnits UnitsOf(int count, int seen) => bytes.Of(count * resultRow, seen * sourceRow);
        var (planes, strips, units) = (1, 1, UnitsOf(rows.Results, rows.Sources));
        if (units.All <= MostUnitsOfRows)
        {
            var plane = Math.Max(rows.Results * resultRow, rows.Sources * sourceRow);
            planes = (int)Math.Max(1, Math.Min(Math.Min(EnoughElements / plane, MostUnitsOfRows / units.All), outers / EnoughBlocks));
            units = UnitsOf(planes * rows.Results, planes * rows.Sources);
        }

        while (units.All > MostUnitsOfRows)
        {
            if (strips == rows.Results) return null;
            var count = CeilDivide(rows.Results, ++strips);
            units = UnitsOf(count, Math.Min(rows.Seen(count), rows.Sources));
        }

        var height = CeilDivide(rows.Results, strips);
        strips = CeilDivide(rows.Results, height);
        var equal = PartOf(height, planes * columns.Results * (long)inner, RowThreads);
        var part = PoolBanks.RowsOfPart(rows, columns, inner, height, equal, RowThreads, bytes.Element);
        var blocks = (long)CeilDivide(outers, planes) * strips;
        return new(
            new()
            {
                Slices = new(1), Tiles = new(1), Strips = new(strips), Vectors = new(inner), Columns = new(columns.Results),
                Parts = new(CeilDivide(height, part)), Rows = height, RowsOfPart = part, SourceColumns = new(1), SourceRows = 0, Planes = planes, Outers = outers, Wide = aligned ? 1 : 0,
                PlacesAt = units.PlacesAt, ResultsAt = units.ResultsAt, ResultPlacesAt = units.ResultPlacesAt,
            },
            1,
            new(Index32.Of("Pooling", blocks), RowThreads, units.All * UnitBytes));
    }

    /// <summary>
    /// Tiles of rows, columns and a slice of channels, of the widest slices that move little more than the least: in narrow ones tiles are
    /// larger and share less, but places no longer fill sectors.
    /// </summary>
    private static PoolTilePlan? Slices(PoolAxis rows, PoolAxis columns, int images, int vectors, int width, ElementBytes bytes)
    {
        SliceCut? best = null;
        var slice = CeilDivide(vectors, CeilDivide(vectors, LineVectors));
        for (; slice > 0; slice = slice <= SectorVectors ? 0 : Math.Max(SectorVectors, slice / 2))
        {
            var cut = SliceCut.Of(rows, columns, slice, width, bytes);
            if (cut is null || best?.Excess <= cut.Value.Excess) continue;
            best = cut;
            if (best.Value.Excess <= LittleExcess) break;
        }

        if (best is not { } chosen) return null;
        var (height, length) = (CeilDivide(rows.Results, chosen.Strips), CeilDivide(columns.Results, chosen.Tiles));
        int sourceRows = rows.Seen(height), sourceColumns = columns.Seen(length), units = sourceRows * sourceColumns * chosen.Vectors;
        var (slices, part) = (CeilDivide(vectors, chosen.Vectors), PartOf(height, (long)length * chosen.Vectors, MapLaunch.Threads));
        return new(
            new()
            {
                Slices = new(slices), Tiles = new(chosen.Tiles), Strips = new(chosen.Strips), Vectors = new(chosen.Vectors), Columns = new(length),
                Parts = new(CeilDivide(height, part)), Rows = height, RowsOfPart = part, SourceColumns = new(sourceColumns), SourceRows = sourceRows, Planes = 0, Outers = images, Wide = 1,
                PlacesAt = units, ResultsAt = 0, ResultPlacesAt = 0,
            },
            width,
            new(
                Index32.Of("Pooling", (long)images * slices * chosen.Tiles * chosen.Strips), MapLaunch.Threads,
                units * UnitBytes + CeilDivide(units * width * bytes.SourcePlace, UnitBytes) * UnitBytes));
    }

    /// <summary>Rows of a column's part: as few as leave no thread a second part, if there are not more columns than threads.</summary>
    private static int PartOf(int rows, long columns, int threads) => CeilDivide(rows, (int)Math.Clamp(threads / columns, 1, rows));

    private static int CeilDivide(int count, int by) => (count + by - 1) / by;

    /// <summary>Bytes of an element, of a source's place and of a result's place, 0 where there are none.</summary>
    private readonly record struct ElementBytes(int Element, int SourcePlace, int ResultPlace)
    {
        public TileUnits Of(long results, long sources)
        {
            long source = Units(sources, Element), places = Units(sources, SourcePlace), result = Units(results, Element), resultPlaces = Units(results, ResultPlace);
            return checked(new((int)source, (int)(source + places), (int)(source + places + result), (int)(source + places + result + resultPlaces)));
        }

        /// <summary>A range that begins within a unit reaches into one more.</summary>
        private static long Units(long count, int size) => size == 0 ? 0 : (count * size + UnitBytes - 1) / UnitBytes + 1;
    }

    /// <summary>Tiles of a slice of so many vectors of channels, and what they move, in parts of the least.</summary>
    private readonly record struct SliceCut(int Vectors, int Strips, int Tiles, double Excess)
    {
        private const int SectorBytes = 32;

        /// <summary>The first tiles, of ever fewer columns, that have no fewer rows than columns; null if no result fits.</summary>
        public static SliceCut? Of(PoolAxis rows, PoolAxis columns, int vectors, int width, ElementBytes bytes)
        {
            var most = MostUnits * UnitBytes / (vectors * (UnitBytes + width * bytes.SourcePlace));
            int tiles = 0, length, height;
            do
            {
                length = CeilDivide(columns.Results, ++tiles);
                height = Math.Min(rows.Fitting(most / columns.Seen(length)), MostUnits / (vectors * length));
            }
            while (length > 1 && height < rows.Results && (height < 1 || rows.Seen(height) < columns.Seen(length)));

            if (height < 1) return null;
            var strips = CeilDivide(rows.Results, height);
            tiles = CeilDivide(columns.Results, length);
            double sources = (double)rows.Sources * columns.Sources, results = (double)rows.Results * columns.Results;
            var fetched = (double)rows.Fetched(strips) * columns.Fetched(tiles);
            int vector = vectors * UnitBytes, sourcePlaces = vectors * width * bytes.SourcePlace, resultPlaces = vectors * width * bytes.ResultPlace;
            var moved = fetched * (Sectors(vector) + Sectors(sourcePlaces)) + results * (Sectors(vector) + Sectors(resultPlaces));
            return new(vectors, strips, tiles, moved / (sources * (vector + sourcePlaces) + results * (vector + resultPlaces)));
        }

        private static int Sectors(int bytes) => CeilDivide(bytes, SectorBytes) * SectorBytes;
    }

    /// <summary>Where the parts of a tile of rows stand behind its source, and where they end.</summary>
    private readonly record struct TileUnits(int PlacesAt, int ResultsAt, int ResultPlacesAt, int All);
}
