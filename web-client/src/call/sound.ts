/** Tells the level of a microphone, 0 to 1, about ten times a second, until the answer is called. */
export function watchLevel(track: MediaStreamTrack, told: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    told(Math.min(1, Math.sqrt(power) * 6));
  }, 100);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

/** Two soft notes. Silent where the browser wants a click first. */
export function playTone(): void {
  const context = new AudioContext();
  const [first, second] = [660, 880];
  [first, second].forEach((pitch, n) => {
    const from = context.currentTime + n * 0.2;
    const tone = new OscillatorNode(context, { frequency: pitch });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setTargetAtTime(0.2, from, 0.02);
    volume.gain.setTargetAtTime(0, from + 0.15, 0.05);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + 0.5);
    if (n === 1) tone.onended = () => void context.close();
  });
}
