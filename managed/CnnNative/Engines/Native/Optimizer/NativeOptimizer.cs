using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Steps of optimisers, many parameters of one type in one launch. Parameters and gradients may be halves; arithmetic and state are Float32.
/// </summary>
internal sealed class NativeOptimizer(NativeContext context) : IOptimizer
{
    public void Sgd(ReadOnlySpan<SgdSlot> slots, in SgdSettings settings)
    {
        var rule = new SgdRule
        {
            Rate = settings.LearningRate, Momentum = settings.Momentum, Keep = (float)(1 - DecimalSetting.Of(settings.Dampening)), Decay = settings.WeightDecay,
            Nesterov = settings.Nesterov ? 1 : 0, First = settings.First ? 1 : 0,
        };
        foreach (var slot in slots) Check(nameof(Sgd), slot.Parameter, slot.Gradient, slot.Momentum);
        foreach (var type in Kernels.Types) Sgd(slots, type, rule);
    }

    public void Adam(ReadOnlySpan<AdamSlot> slots, in AdamSettings settings)
    {
        var rule = new AdamRule
        {
            Rate = DecimalSetting.Of(settings.LearningRate), Beta1 = DecimalSetting.Of(settings.Beta1), Beta2 = DecimalSetting.Of(settings.Beta2), Step = settings.Step,
            Eps = settings.Eps, Decay = settings.WeightDecay,
        };
        foreach (var slot in slots) Check(nameof(Adam), slot.Parameter, slot.Gradient, slot.Mean, slot.Square);
        foreach (var type in Kernels.Types) Adam(slots, type, rule);
    }

    public void GradientNorm(ReadOnlySpan<Tensor> gradients, NormOrder order, Tensor norm)
    {
        Require.DType(nameof(GradientNorm), nameof(norm), norm, DType.Float32);
        using var target = norm.OnDevice();
        var blocks = GradientLaunches.CountBlocks(gradients);
        using var partials = context.Rent(Math.Max(1, blocks) * sizeof(float));
        var launches = new GradientLaunches(gradients);
        while (launches.Next())
            context.Kernels.GradientNormPartial(launches.Type, launches.Launch, launches.Tensors, order, partials.Pointer.Plus((long)launches.BlocksBefore * sizeof(float)));
        context.Kernels.GradientNormFinish(new(1, MapLaunch.Threads), partials, blocks, order, target);
    }

    public void ScaleGradients(ReadOnlySpan<Tensor> gradients, Tensor norm, float most)
    {
        using var source = norm.OnDevice();
        var launches = new GradientLaunches(gradients);
        while (launches.Next()) context.Kernels.GradientScale(launches.Type, launches.Launch, launches.Tensors, source, most);
    }

    public void ClampGradients(ReadOnlySpan<Tensor> gradients, float limit)
    {
        var launches = new GradientLaunches(gradients);
        while (launches.Next()) context.Kernels.GradientClamp(launches.Type, launches.Launch, launches.Tensors, limit);
    }

    /// <summary>The parameters of one type.</summary>
    private void Sgd(ReadOnlySpan<SgdSlot> slots, DType type, SgdRule rule)
    {
        var (parameters, blocks) = (default(SgdParameters), 0);
        foreach (var slot in slots)
        {
            if (slot.Parameter.DType != type || slot.Parameter.Count == 0) continue;
            parameters.At[parameters.Count++] = new()
            {
                W = Address(slot.Parameter), Gradient = Address(slot.Gradient), Velocity = Address(slot.Momentum),
                Count = slot.Parameter.Count, FirstBlock = blocks,
            };
            blocks = Index32.Of(nameof(Sgd), blocks + ParameterPieces.Blocks(slot.Parameter.Count));
            if (parameters.Count == SgdParameters.Slots.Capacity) Run();
        }

        if (parameters.Count > 0) Run();

        void Run()
        {
            context.Kernels.Sgd(type, new(blocks, MapLaunch.Threads), parameters, rule, context.Clock);
            (parameters.Count, blocks) = (0, 0);
        }
    }

    /// <summary>The parameters of one type.</summary>
    private void Adam(ReadOnlySpan<AdamSlot> slots, DType type, AdamRule rule)
    {
        var (parameters, blocks) = (default(AdamParameters), 0);
        foreach (var slot in slots)
        {
            if (slot.Parameter.DType != type || slot.Parameter.Count == 0) continue;
            parameters.At[parameters.Count++] = new()
            {
                W = Address(slot.Parameter), Gradient = Address(slot.Gradient), Mean = Address(slot.Mean), Square = Address(slot.Square),
                Count = slot.Parameter.Count, FirstBlock = blocks,
            };
            blocks = Index32.Of(nameof(Adam), blocks + ParameterPieces.Blocks(slot.Parameter.Count));
            if (parameters.Count == AdamParameters.Slots.Capacity) Run();
        }

        if (parameters.Count > 0) Run();

        void Run()
        {
            context.Kernels.Adam(type, new(blocks, MapLaunch.Threads), parameters, rule, context.Clock);
            (parameters.Count, blocks) = (0, 0);
        }
    }

    /// <summary>The caller's slots hold the tensors, and with them their memory, until the launch is in the stream.</summary>
    private static DevicePointer Address(Tensor? tensor)
    {
        using var view = tensor.OnDevice();
        return view;
    }

    private static void Check(string operation, Tensor parameter, Tensor gradient, params ReadOnlySpan<Tensor?> states)
    {
        if (!parameter.DType.IsFloating()) throw new DTypeException(operation, "a parameter", parameter.DType, DType.Float32);
        Require.DType(operation, "the gradient of a parameter", gradient, parameter.DType);
        foreach (var state in states)
        {
            if (state is not null) Require.DType(operation, "the state of a parameter", state, DType.Float32);
        }
    }
}
