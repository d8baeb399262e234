namespace CnnNative.Engines.Cpu;

/// <summary>
/// The gradient of a convolution by its input, with zero padding: dx[h] = sum over r of dy[p] w[r] where
/// h + padTop = p * stride + r * dilation. The rows h with one remainder of (h + padTop) by the stride meet the same taps,
/// so each pair of remainders (a, b) is a dense convolution of stride 1 of the padded dy by some of the taps: with
/// h + padTop = i * stride + a, p = i - (r * dilation - a) / stride.
/// </summary>
internal static unsafe class DataGradient
{
    /// <summary>Computes dx.</summary>
    public static void Run(in ConvolutionProblem problem, float* dy, float* w, float* dx, CpuThreads threads, CpuScratch scratch)
    {
        int channels = problem.C / problem.Groups, filters = problem.K / problem.Groups;
        var depth = filters * problem.R * problem.S;
        var planes = new ImagePlanes(GradientImage(problem));
        using var tapRoom = scratch.Rent(TapList.Floats(depth));
        using var filterRoom = scratch.Rent(problem.Groups * GemmRows.PackedLength(channels, depth));
        var jobs = new List<TapJob>();
        nint* taps = (nint*)tapRoom.Pointer;
        var packed = filterRoom.Pointer;
        for (var a = 0; a < problem.StrideH; a++)
        {
            for (var b = 0; b < problem.StrideW; b++)
            {
                var phase = new Phase(problem, a, b);
                if (phase.Rows == 0 || phase.Columns == 0) continue;
                jobs.Add(phase.Job(planes, taps, packed));
                phase.WriteTaps(planes, taps);
                phase.Pack(w, packed, threads);
                taps += phase.Depth;
                packed += problem.Groups * GemmRows.PackedLength(channels, phase.Depth);
            }
        }

        new TapPass(threads, scratch)
        {
            Images = problem.N,
            Groups = problem.Groups,
            Channels = filters,
            ChannelLength = problem.P * problem.Q,
            OutputLength = (nint)channels * problem.H * problem.W,
            Planes = planes,
            Jobs = [.. jobs],
        }.Run(dy, dx, default);
    }

    /// <summary>dy as an image, padded so that every tap of every i stays inside.</summary>
    private static ConvolutionProblem GradientImage(in ConvolutionProblem problem) => new()
    {
        N = problem.N,
        C = problem.K,
        H = problem.P,
        W = problem.Q,
        K = problem.C,
        R = 1,
        S = 1,
        PadTop = (problem.R - 1) * problem.DilationH / problem.StrideH,
        PadLeft = (problem.S - 1) * problem.DilationW / problem.StrideW,
        PadBottom = Math.Max(0, (problem.H + problem.PadTop + problem.PadBottom - 1) / problem.StrideH - (problem.P - 1)),
        PadRight = Math.Max(0, (problem.W + problem.PadLeft + problem.PadRight - 1) / problem.StrideW - (problem.Q - 1)),
        StrideH = 1,
        StrideW = 1,
        DilationH = 1,
        DilationW = 1,
        Groups = problem.Groups,
    };

    /// <summary>The rows and columns of dx with remainders a and b.</summary>
    private readonly struct Phase
    {
        private readonly ConvolutionProblem problem;
        private readonly int a;
        private readonly int b;
        private readonly int firstRow;
        private readonly int firstColumn;

        public Phase(in ConvolutionProblem problem, int a, int b)
        {
            this.problem = problem;
            this.a = a;
            this.b = b;
            (firstRow, Rows) = Indices(problem.H, problem.PadTop, problem.StrideH, a);
            (firstColumn, Columns) = Indices(problem.W, problem.PadLeft, problem.StrideW, b);
        }

        /// <summary>Rows of dx in this phase.</summary>
        public int Rows { get; }

        /// <summary>Columns of dx in this phase.</summary>
        public int Columns { get; }

        /// <summary>Taps of a group that meet this phase.</summary>
        public int Depth
        {
            get
            {
                int rows = 0, columns = 0;
                for (var r = 0; r < problem.R; r++) rows += Meets(r, problem.DilationH, problem.StrideH, a) ? 1 : 0;
                for (var s = 0; s < problem.S; s++) columns += Meets(s, problem.DilationW, problem.StrideW, b) ? 1 : 0;
                return problem.K / problem.Groups * rows * columns;
            }
        }

        public TapJob Job(in ImagePlanes planes, nint* taps, float* packed)
        {
            var channels = problem.C / problem.Groups;
            var output = new TapOutput(Rows, Columns, (nint)problem.H * problem.W, (nint)problem.StrideH * problem.W, problem.StrideW);
            int h = firstRow * problem.StrideH + a - problem.PadTop, w = firstColumn * problem.StrideW + b - problem.PadLeft;
            return new TapJob(
                new TapConvolution(channels, Depth, planes.Pitch, output), GemmRows.Packed(packed, Depth), (nint)GemmRows.PackedLength(channels, Depth),
                (nint)taps, firstRow * planes.Pitch + firstColumn, h * problem.W + w);
        }

        public void WriteTaps(in ImagePlanes planes, nint* taps)
        {
            int top = (problem.R - 1) * problem.DilationH / problem.StrideH, left = (problem.S - 1) * problem.DilationW / problem.StrideW;
            for (var k = 0; k < problem.K / problem.Groups; k++)
            {
                for (var r = 0; r < problem.R; r++)
                {
                    if (!Meets(r, problem.DilationH, problem.StrideH, a)) continue;
                    var row = top - (r * problem.DilationH - a) / problem.StrideH;
                    for (var s = 0; s < problem.S; s++)
                    {
                        if (!Meets(s, problem.DilationW, problem.StrideW, b)) continue;
                        *taps++ = (nint)k * planes.Length + row * planes.Pitch + left - (s * problem.DilationW - b) / problem.StrideW;
                    }
                }
            }
        }

        /// <summary>Packs w (filters, channels, R, S) of every group as (channels, taps).</summary>
        public void Pack(float* w, float* packed, CpuThreads threads)
        {
            int groups = problem.Groups, panels = GemmRows.Panels(problem.C / groups), depth = Depth;
            var group = (nint)GemmRows.PackedLength(problem.C / groups, depth);
            var self = this;
            threads.For((long)groups * panels, Math.Max(1, 4096 / Math.Max(1, depth)), (first, last) =>
            {
                for (var i = first; i < last; i++)
                    self.PackPanel(w, (int)(i / panels), (int)(i % panels), packed + i / panels * group + i % panels * depth * GemmKernels.Rows);
            });
        }

        private void PackPanel(float* w, int group, int panel, float* packed)
        {
            int channels = problem.C / problem.Groups, filters = problem.K / problem.Groups, area = problem.R * problem.S;
            int first = panel * GemmKernels.Rows, rows = Math.Min(GemmKernels.Rows, channels - first);
            for (var k = 0; k < filters; k++)
            {
                var source = w + ((nint)(group * filters + k) * channels + first) * area;
                for (var r = 0; r < problem.R; r++)
                {
                    if (!Meets(r, problem.DilationH, problem.StrideH, a)) continue;
                    for (var s = 0; s < problem.S; s++)
                    {
                        if (!Meets(s, problem.DilationW, problem.StrideW, b)) continue;
                        for (var c = 0; c < rows; c++) packed[c] = source[c * area + r * problem.S + s];
                        packed += GemmKernels.Rows;
                    }
                }
            }
        }

        private static bool Meets(int tap, int dilation, int stride, int remainder) => tap * dilation % stride == remainder;

        /// <summary>The i for which i * stride + remainder - pad lies in the image: the first, and how many.</summary>
        private static (int First, int Count) Indices(int size, int pad, int stride, int remainder)
        {
            var first = Math.Max(0, (pad - remainder + stride - 1) / stride);
            var end = pad + size - remainder;
            return (first, Math.Max(0, (end <= 0 ? 0 : (end - 1) / stride + 1) - first));
        }
    }
}
