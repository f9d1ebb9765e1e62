// The stream: fragmented MP4 over a WebSocket into a media source. It stands in a page's head, so that the picture is on
// its way, and decoded, while the rest of the page is still being loaded; picture.js takes it over and shows it.
(() => {
  const Source = () => window.ManagedMediaSource || window.MediaSource;
  const SILENT = {told() {}, playing() {}, stopped() {}, instead() {}};

  class LivePicture {
    constructor(src) {
      this.src = src; this.owner = SILENT; this.tries = 0; this.over = false; this.queue = [];
      this.playing = false; this.behind = 0; this.codecs = ''; this.last = ['connecting', '']; this.fails = 0; this.single = null;
      const v = this.video = document.createElement('video');
      v.className = 'lp-media'; v.muted = v.autoplay = v.playsInline = v.disablePictureInPicture = true;
      v.setAttribute('muted', ''); v.setAttribute('playsinline', '');
      v.addEventListener('error', () => { if (this.media) this.broken(); });
      this.clock = setInterval(() => { this.listen(); this.catchUp(); }, 200);
      this.start();
    }
    // Whoever shows it hears what has happened so far, and what happens from now on.
    own(owner) {
      this.owner = owner;
      if (this.playing) owner.playing();
      else if (this.single) owner.instead(this.single);
      else owner.told(...this.last);
    }
    tell(state, text = '') { this.last = [state, text]; this.owner.told(state, text); }
    // Single pictures until it plays, and why: in the camera's words, or `slow`, `unable`, `damaged`.
    instead(single) { this.single = single; this.owner.instead(single); }
    // Whether it broke again and again, without having played for a while in between.
    often(times) {
      const well = this.playing && Date.now() - this.since > 5000;
      if (well) this.tries = 0;
      this.fails = well ? 1 : this.fails + 1;
      return this.fails >= times;
    }
    // The browser cannot do anything with what comes.
    broken() {
      const often = this.often(3);
      this.pause(); this.tell('lost');
      if (often) this.instead({kind: 'damaged'});
      this.later();
    }
    pause() {
      clearTimeout(this.again);
      if (this.ws) { this.ws.onclose = this.ws.onmessage = null; this.ws.close(); this.ws = null; }
      this.drop();
    }
    close() { this.over = true; this.owner = SILENT; clearInterval(this.clock); this.pause(); }
    drop() {
      const v = this.video; this.queue = []; this.waits = 0; this.buffer = null;
      if (this.playing) { this.playing = false; this.owner.stopped(); }
      if (this.media) { this.media = null; const u = v.src; v.removeAttribute('src'); v.load(); if (u) URL.revokeObjectURL(u); }
    }
    start() {
      if (this.over || document.hidden) return;
      const again = this.playing;
      this.pause();
      if (!Source()) return this.giveUp();
      this.tell(again ? 'lost' : 'connecting');
      const ws = this.ws = new WebSocket((location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + this.src);
      ws.binaryType = 'arraybuffer';
      this.last_at = Date.now();
      ws.onmessage = e => {
        this.last_at = Date.now();
        if (typeof e.data === 'string') this.heard(JSON.parse(e.data)); else this.take(e.data);
      };
      ws.onclose = () => {
        this.often(0);
        this.drop(); this.tell('lost'); this.later();
      };
    }
    // Out of the Wi-Fi's reach nothing breaks: it only becomes silent.
    listen() {
      if (this.ws && Date.now() - this.last_at > (this.playing ? 4000 : 20000)) this.start();
    }
    later() {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.start(), Math.min(5000, 400 * 2 ** this.tries++));
    }
    // Not even the small stream gets through, or the browser does not play it: single pictures, and every minute it is
    // tried again. Where there is no way to play anything, that is all.
    rest() {
      this.pause(); this.instead({kind: 'slow'});
      this.again = setTimeout(() => this.start(), LivePicture.AGAIN_MS);
    }
    giveUp(text = '') {
      this.pause(); this.instead({kind: 'unable', text});
      if (Source()) this.again = setTimeout(() => this.start(), LivePicture.AGAIN_MS);
    }
    heard(m) {
      if (m.state === 'unsupported') return this.giveUp(m.text);
      if (m.state === 'slow') return this.rest();
      if (m.state === 'late') this.instead({kind: 'late', text: m.text});
      if (m.state === 'lost') {
        const often = this.often(2);
        this.drop(); this.tell('lost', m.text || '');
        if (often) this.instead({kind: 'lost', text: m.text});
      }
      if (m.state === 'connecting') this.tell('connecting');
      if (m.codecs) this.begin(m.codecs);
    }
    begin(codecs) {
      const type = `video/mp4; codecs="${codecs}"`, managed = Boolean(window.ManagedMediaSource), S = Source();
      this.drop();
      if (!S.isTypeSupported(type)) return this.giveUp();
      this.codecs = codecs;
      const v = this.video, media = this.media = new S();
      if (managed) v.disableRemotePlayback = true;  // else Safari never opens it
      v.src = URL.createObjectURL(media);
      media.addEventListener('sourceopen', () => {
        if (this.media !== media) return;
        try { this.buffer = media.addSourceBuffer(type); } catch { return this.giveUp(); }
        this.buffer.mode = 'segments';
        this.buffer.addEventListener('updateend', () => this.pump());
        this.buffer.addEventListener('error', () => { if (this.media === media) this.broken(); });
        this.pump();
      }, {once: true});
    }
    take(data) {
      if (!this.media) return;
      this.queue.push(data); this.waits += data.byteLength;
      if (this.waits > LivePicture.MOST) return this.broken();  // it is played no more, whatever the browser says
      this.pump();
    }
    pump() {
      const b = this.buffer, v = this.video;
      if (!b || b.updating || !this.media || this.media.readyState !== 'open') return;
      try {
        if (this.queue.length) {
          // All that waits in one go: a browser takes its time for each.
          let n = 0; for (const p of this.queue) n += p.byteLength;
          const all = new Uint8Array(n); n = 0; for (const p of this.queue) { all.set(new Uint8Array(p), n); n += p.byteLength; }
          this.queue = []; this.waits = 0; b.appendBuffer(all);
        } else if (b.buffered.length && v.currentTime - b.buffered.start(0) > 20) {
          b.remove(b.buffered.start(0), v.currentTime - 8);
        }
      } catch { return this.broken(); }
      this.catchUp();
    }
    catchUp() {
      const v = this.video, r = this.buffer && this.buffer.buffered;
      if (!r || !r.length) return;
      const end = r.end(r.length - 1), start = r.start(r.length - 1);
      this.behind = end - v.currentTime;
      // Over a hole that a slow network left, to the newest when far behind, a little faster when a little.
      if (v.currentTime < start || this.behind > 0.8) v.currentTime = Math.max(start, end - 0.1);
      v.playbackRate = this.behind > 0.4 ? 1.25 : this.behind > 0.2 ? 1.1 : 1;
      if (v.paused) v.play().catch(() => {});
      if (!this.playing && v.readyState >= 2) { this.playing = true; this.since = Date.now(); this.single = null; this.owner.playing(); }
    }
  }
  LivePicture.AGAIN_MS = 60000;
  LivePicture.MOST = 32 << 20;  // bytes that wait to be played
  window.LivePicture = LivePicture;
  // A picture that the page's head has begun, for whoever shows that stream first.
  LivePicture.of = src => {
    const early = window.earlyPicture; window.earlyPicture = null;
    if (early && early.src === src && !early.over) return early;
    if (early) early.close();
    return new LivePicture(src);
  };
  // From a page's head, before there is a place for it.
  LivePicture.begin = src => { window.earlyPicture = new LivePicture(src); };
  // In the place where the picture will be: what was seen last, then what moves.
  LivePicture.early = (src, poster, stage) => {
    const live = window.earlyPicture = LivePicture.of(src);
    if (!stage) return;
    const image = document.createElement('img'); image.className = 'lp-media'; image.alt = ''; image.src = poster;
    image.onerror = () => image.remove();
    live.video.style.visibility = 'hidden';
    stage.append(image, live.video);
    live.own({...SILENT, playing() {
      live.video.style.visibility = '';
      const {videoWidth: w, videoHeight: h} = live.video; if (w) stage.style.aspectRatio = `${w} / ${h}`;
    }});
  };
})();
