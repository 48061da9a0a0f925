/** A throw-away connection gathers once: the first one of a page may otherwise hang on its first offer. */
export async function warmUp(createPc: (config: RTCConfiguration) => RTCPeerConnection): Promise<void> {
  const pc = createPc({});
  try {
    pc.createDataChannel('warm');
    const gathered = new Promise<void>((resolve) => {
      pc.onicegatheringstatechange = () => {
        if (pc.iceGatheringState === 'complete') resolve();
      };
    });
    await pc.setLocalDescription();
    await Promise.race([gathered, new Promise((resolve) => setTimeout(resolve, 1_000))]);
  } finally {
    pc.close();
  }
}
