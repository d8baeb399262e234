using System.Runtime.InteropServices;
using CnnNative.Engines;

namespace CnnNative.Optimizers;

/// <summary>Adam (Kingma and Ba, 2015) as PyTorch defines it, with the weight decay added to the gradient.</summary>
public sealed class Adam : Optimizer
{
    private readonly float beta1, beta2, eps, weightDecay;
    private readonly Tensor?[] means, squares;

    /// <summary>Gradients seen by each parameter; on the host, where the bias corrections are computed.</summary>
    private readonly Tensor?[] steps;

    private readonly List<AdamSlot> slots = [];
    private readonly List<int> members = [];

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameters">What to train.</param>
    /// <param name="learningRate">Step size.</param>
    /// <param name="beta1">Share of the running mean of the gradient kept.</param>
    /// <param name="beta2">Share of the running mean of its square kept.</param>
    /// <param name="eps">Added to the root of the corrected square.</param>
    /// <param name="weightDecay">Multiple of the parameter added to its gradient.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Adam(
        IEnumerable<Tensor> parameters, float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float eps = 1e-8f, float weightDecay = 0f)
        : base(parameters, learningRate)
    {
        this.beta1 = Share(beta1, nameof(beta1));
        this.beta2 = Share(beta2, nameof(beta2));
        this.eps = NotNegative(eps, nameof(eps));
        this.weightDecay = NotNegative(weightDecay, nameof(weightDecay));
        means = new Tensor?[Parameters.Count];
        squares = new Tensor?[Parameters.Count];
        steps = new Tensor?[Parameters.Count];
    }

    /// <inheritdoc/>
    public override OrderedDictionary<string, Tensor> StateDict()
    {
        var state = new OrderedDictionary<string, Tensor>();
        for (var i = 0; i < means.Length; i++)
        {
            if (means[i] is null) continue;
            state.Add($"{i}.mean", means[i]!);
            state.Add($"{i}.square", squares[i]!);
            state.Add($"{i}.step", steps[i]!);
        }

        return state;
    }

    /// <inheritdoc/>
    public override void LoadStateDict(IReadOnlyDictionary<string, Tensor> state) => Load(state, (index, slot) =>
    {
        if (slot is not ("mean" or "square" or "step")) return null;
        Prepare(index);
        return (slot switch { "mean" => means, "square" => squares, _ => steps })[index];
    });

    private protected override void Update()
    {
        // Parameters step together as long as they have had the same number of gradients: one call, as a rule.
        long group = 0;
        for (var i = 0; i < means.Length; i++)
        {
            if (Parameters[i].Grad is not { } gradient) continue;
            Prepare(i);
            var count = Count(i) + 1;
            if (count != group) Run(group);
            group = count;
            members.Add(i);
            slots.Add(new AdamSlot(Parameters[i], gradient, means[i]!, squares[i]!));
        }

        Run(group);
    }

    private long Count(int index)
    {
        long count = 0;
        steps[index]!.CopyTo(new Span<long>(ref count));
        return count;
    }

    private void Run(long step)
    {
        if (slots.Count == 0) return;
        var settings = new AdamSettings(LearningRate, beta1, beta2, eps, weightDecay, step);
        var device = slots[0].Parameter.Device;
        if (RecorderOf(device) is { } recorder)
        {
            // What is only recorded has not happened yet: each replay counts.
            using var call = OpenCall(recorder, [.. members]);
            device.Engine.Optimizer.Adam(CollectionsMarshal.AsSpan(slots), settings);
        }
        else
        {
            device.Engine.Optimizer.Adam(CollectionsMarshal.AsSpan(slots), settings);
            Advance(members);
        }

        slots.Clear();
        members.Clear();
    }

    private StepRecorder.OptimizerCall OpenCall(StepRecorder recorder, List<int> group) =>
        recorder.OpenCall(() => new(DecimalSetting.Of(LearningRate), Advance(group)));

    /// <summary>Counts one more gradient for parameters that step together, and gives their number.</summary>
    private long Advance(List<int> group)
    {
        foreach (var index in group) steps[index]!.Device.Engine.Elementwise.Increment(steps[index]!);
        return Count(group[0]);
    }

    private void Prepare(int index)
    {
        if (means[index] is not null) return;
        means[index] = ZerosLike(Parameters[index]);
        squares[index] = ZerosLike(Parameters[index]);
        using var scope = Scope.Unowned();
        steps[index] = Tensor.From([0L], Shape.Scalar, CpuDevice.Shared);
    }
}
