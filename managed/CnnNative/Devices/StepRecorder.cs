using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>What an optimizer's kernels read at each replay; twin of the structure in native/kernels/optim/parameters.h.</summary>
/// <param name="Rate">Learning rate.</param>
/// <param name="Step">Number of the step, from 1.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct OptimizerClock(double Rate, long Step);

/// <summary>
/// What a captured step needs beside its graph: the memory that it uses, and the few numbers that differ from replay to
/// replay. Those lie in device memory, in one block that is written before each replay: first what is added to the numbers
/// of the random streams, then one clock per optimizer call.
/// </summary>
internal sealed class StepRecorder : IDisposable
{
    private const int MostClocks = 63, ClockBytes = 16, BlockBytes = (MostClocks + 1) * ClockBytes;
    private readonly CudaDevice device;
    private readonly Storage numbers;
    private readonly List<Func<OptimizerClock>> clocks = [];
    private readonly byte[] block = new byte[BlockBytes];
    private MemoryReservation? reservation;
    private ulong firstStream, streams;
    private int current = -1;

    public StepRecorder(CudaDevice device)
    {
        this.device = device;
        numbers = new Storage(device.Memory, BlockBytes);
    }

    /// <summary>What random kernels add to their stream's number.</summary>
    public DevicePointer RandomBase => new((ulong)numbers.Address);

    /// <summary>The clock of the optimizer call that is being recorded; null outside of one.</summary>
    public DevicePointer Clock => current < 0 ? DevicePointer.Null : RandomBase.Plus((current + 1) * ClockBytes);

    /// <summary>Starts to note memory and random streams.</summary>
    public void Begin()
    {
        reservation = device.Memory.OpenReservation();
        firstStream = device.Random.Position;
    }

    /// <summary>Ends that. Recording used no random numbers.</summary>
    public void End()
    {
        device.Memory.CloseReservation();
        streams = device.Random.Position - firstStream;
        device.Random.Position = firstStream;
    }

    /// <summary>
    /// Begins an optimizer call whose rate and step count are asked for anew at each replay, in the order of recording. The call ends when
    /// the result is disposed.
    /// </summary>
    /// <param name="now">Gives the numbers of the next replay.</param>
    public OptimizerCall OpenCall(Func<OptimizerClock> now)
    {
        if (clocks.Count == MostClocks) throw new InvalidOperationException($"Capture: a step calls optimizers more than {MostClocks} times");
        current = clocks.Count;
        clocks.Add(now);
        return new OptimizerCall(this);
    }

    /// <summary>Puts the numbers of the next replay on the device, and counts the replay. Replays that are all alike have none: there is nothing to put there.</summary>
    public void Advance()
    {
        if (streams == 0 && clocks.Count == 0) return;
        var position = device.Random.Position;
        MemoryMarshal.Write(block, position - firstStream);
        for (var i = 0; i < clocks.Count; i++) MemoryMarshal.Write(block.AsSpan((i + 1) * Unsafe.SizeOf<OptimizerClock>()), clocks[i]());
        device.Write(numbers, 0, block.AsSpan(0, (clocks.Count + 1) * ClockBytes));
        device.Random.Position = position + streams;
    }

    public void Dispose()
    {
        numbers.Release();
        if (reservation is not null) device.Memory.EndReservation(reservation);
        reservation = null;
    }

    /// <summary>A call that is being recorded.</summary>
    internal readonly struct OptimizerCall(StepRecorder recorder) : IDisposable
    {
        public void Dispose() => recorder.current = -1;
    }
}
