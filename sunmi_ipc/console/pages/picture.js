// The live picture (static/live.js), with a door line that can be dragged, a point to focus on, and a bar that tells how
// sharp the picture is.
const W = 1920, H = 1080, SPAN = 100;

export default {
  template: `
  <div class="lp" :class="{'lp-square': shape === 'square'}" ref="box">
    <div class="lp-stage" :style="{aspectRatio: ratio}">
      <img v-if="poster" v-show="!playing && !got && !bare" class="lp-media" :src="poster" alt="" @error="bare = true" @load="bare = false">
      <img v-if="stills" v-show="got" class="lp-media" :src="still" alt="" ref="still" @load="stillLoaded" @error="stillFailed">
      <div v-show="playing" ref="screen" class="lp-media"></div>
      <svg v-if="mode !== 'view' || shown" class="lp-over" :class="'lp-' + mode" ref="svg" :role="mode === 'line' ? 'group' : 'img'" :aria-label="words.picture" viewBox="0 0 ${W} ${H}"
        preserveAspectRatio="none" @pointerdown="tap" @pointermove="move" @pointerup="up" @pointercancel="up">
        <g v-if="grid" class="lp-grid">
          <line v-for="i in 11" :x1="i * 160" y1="0" :x2="i * 160" y2="${H}"/>
          <line v-for="i in 7" x1="0" :y1="i * 135" x2="${W}" :y2="i * 135"/>
        </g>
        <g v-if="shown" :class="{'lp-bad': why}">
          <line class="lp-edge" :x1="l[0]" :y1="l[1]" :x2="l[2]" :y2="l[3]" :stroke-width="10 * u"/>
          <line class="lp-line" :x1="l[0]" :y1="l[1]" :x2="l[2]" :y2="l[3]" :stroke-width="5 * u"/>
          <g class="lp-arrow" :transform="arrow.transform">
            <path :d="arrow.shaft" :stroke-width="9 * u"/><path class="lp-arrow-in" :d="arrow.shaft" :stroke-width="5 * u"/>
          </g>
          <text class="lp-word" :x="arrow.x" :y="arrow.y" :font-size="18 * u" :stroke-width="4 * u"
            text-anchor="middle" dominant-baseline="middle">{{ words.inside }}</text>
          <text class="lp-word lp-out" :x="arrow.ox" :y="arrow.oy" :font-size="18 * u" :stroke-width="4 * u"
            text-anchor="middle" dominant-baseline="middle">{{ words.outside }}</text>
          <template v-if="mode === 'line'">
            <line class="lp-grab" :x1="l[0]" :y1="l[1]" :x2="l[2]" :y2="l[3]" :stroke-width="44 * u" tabindex="0"
              role="slider" :aria-label="words.whole" aria-valuemin="0" aria-valuemax="${H}" :aria-valuenow="Math.round((l[1] + l[3]) / 2)"
              :aria-valuetext="said" @pointerdown.stop="grab('all', $event)" @keydown="key('all', $event)"/>
            <g v-for="e in [0, 2]" :key="e" class="lp-end" tabindex="0" role="slider" :aria-label="e ? words.right : words.left"
              aria-valuemin="0" aria-valuemax="${W}" :aria-valuenow="Math.round(l[e])" :aria-valuetext="said"
              @pointerdown.stop="grab(e, $event)" @keydown="key(e, $event)">
              <circle class="lp-hit" :cx="l[e]" :cy="l[e + 1]" :r="28 * u"/>
              <circle class="lp-ring" :cx="l[e]" :cy="l[e + 1]" :r="15 * u" :stroke-width="4 * u"/>
              <circle class="lp-dot" :cx="l[e]" :cy="l[e + 1]" :r="4 * u"/>
            </g>
          </template>
        </g>
        <g v-if="mode === 'focus' && point" class="lp-point">
          <circle :cx="point[0] * ${W} / 100" :cy="point[1] * ${H} / 100" :r="30 * u" :stroke-width="3 * u"/>
          <circle class="lp-dot" :cx="point[0] * ${W} / 100" :cy="point[1] * ${H} / 100" :r="4 * u"/>
        </g>
      </svg>
      <div v-if="why" class="lp-why" role="alert">{{ why }}</div>
      <div v-else-if="told" class="lp-state" role="status"><span class="lp-spin" v-if="busy"></span>{{ told }}</div>
      <div v-if="playing && !told" class="lp-live"><i></i>{{ words.live }}</div>
      <button v-if="sound && playing" class="lp-sound" type="button" @click="hear" :aria-label="words.sound"
        :aria-pressed="String(loud)">{{ loud ? '🔊' : '🔇' }}</button>
    </div>
    <div v-if="measure" class="lp-sharp" role="meter" :aria-label="words.sharpness" aria-valuemin="0" aria-valuemax="100"
      :aria-valuenow="Math.round(level)"><span>{{ words.sharpness }}</span>
      <div class="lp-bar"><b :style="{width: level + '%'}" :class="{'lp-best': level > 92}"></b><i :style="{left: best + '%'}"></i></div>
    </div>
  </div>`,
  props: {
    src: String, jpeg: String, poster: String, shape: String, mode: {type: String, default: 'view'},
    line: Array, grid: Boolean, point: Array, measure: Boolean, words: Object,
  },
  data() {
    return {
      playing: false, stills: false, got: false, bare: false, still: '', told: '', busy: false, l: this.line ? [...this.line] : null, drag: null,
      u: 2, level: 0, best: 0, sound: false, loud: false, ratio: this.shape === 'square' ? '1 / 1' : '16 / 9',
    };
  },
  computed: {
    shown() { return this.l && this.mode !== 'focus'; },
    why() {
      if (!this.l || this.mode !== 'line') return '';
      const [a, b, c, d] = this.l;
      if ([a, c].some(x => x < 0 || x > W) || [b, d].some(y => y < 0 || y > H)) return this.words.beyond;
      return Math.abs(c - a) < SPAN ? this.words.short : '';
    },
    said() { return this.l ? this.l.map(Math.round).join(', ') : ''; },
    arrow() {
      let [a, b, c, d] = this.l; if (a > c) [a, b, c, d] = [c, d, a, b];
      const sx = 1, sy = 1, n = Math.hypot(c - a, d - b) || 1, ax = (c - a) / n, ay = (d - b) / n;
      const ix = -ay, iy = ax, mx = (a + c) / 2, my = (b + d) / 2, u = this.u;
      const angle = Math.atan2(iy * sy, ix * sx) * 180 / Math.PI;
      return {transform: `translate(${mx} ${my}) rotate(${angle})`,
        shaft: `M ${8 * u} 0 H ${44 * u} M ${32 * u} ${-12 * u} L ${46 * u} 0 L ${32 * u} ${12 * u}`,
        x: mx + ix * 26 * u + ax * 30 * u, y: my + iy * 26 * u + ay * 30 * u, ox: mx - ix * 20 * u, oy: my - iy * 20 * u};
    },
  },
  watch: {
    line(to) { if (this.drag === null) this.l = to ? [...to] : null; },
    src() { this.stills = this.got = false; this.reason = null; clearTimeout(this.next); this.open(); },
    point() { this.best = 0; },
  },
  mounted() {
    this.gone = false; this.reason = null;
    this.sizes = new ResizeObserver(() => this.scale()); this.sizes.observe(this.$refs.box); this.scale();
    this.seen = () => document.hidden ? this.pause() : this.restart();
    document.addEventListener('visibilitychange', this.seen);
    this.clock = setInterval(() => { if (this.measure && (this.playing || this.stills)) this.sharpen(); }, 200);
    this.open();
  },
  unmounted() {
    this.gone = true;
    document.removeEventListener('visibilitychange', this.seen);
    this.sizes.disconnect(); clearInterval(this.clock); clearTimeout(this.next);
    if (this.live) this.live.close();
  },
  methods: {
    // -- the stream ------------------------------------------------------------------------------
    open() {
      if (this.live) this.live.close();
      this.playing = false;
      const live = this.live = LivePicture.of(this.src), v = live.video;
      v.style.visibility = ''; v.setAttribute('aria-label', this.words.picture); v.muted = !this.loud;
      this.$refs.screen.replaceChildren(v);
      document.getElementById('early')?.remove();
      live.own({
        told: (state, text) => this.stills || this.say(text || (state === 'lost' ? this.words.reconnecting : this.words.connecting), true),
        playing: () => {
          this.playing = true; this.stills = this.got = false; this.reason = null; clearTimeout(this.next); this.say('', false); this.sound = live.codecs.includes('mp4a');
          if (v.videoWidth) this.ratio = `${v.videoWidth} / ${v.videoHeight}`;
          this.$emit('playing', {width: v.videoWidth, height: v.videoHeight, codecs: live.codecs});
        },
        stopped: () => { this.playing = false; },
        instead: single => this.fallBack(single),
      });
      if (v.paused && live.playing) v.play().catch(() => {});  // it was moved
    },
    pause() { clearTimeout(this.next); this.live.pause(); },
    restart() {
      if (this.gone || document.hidden) return;
      if (this.stills) this.fetchStill();
      this.live.start();
    },
    say(text, busy) { this.told = text; this.busy = busy; },
    hear() { this.loud = !this.loud; this.live.video.muted = !this.loud; },
    // Single pictures: a person is told why, under each of them.
    fallBack({kind, text}) {
      if (this.gone) return;
      const why = text || this.words[kind] || this.words.reconnecting, stop = /[.。…!！]$/.test(why) ? this.words.stop.slice(1) : this.words.stop;
      this.small = kind === 'slow'; this.reason = [why, `${why}${stop}${this.words.instead}`];
      const already = this.stills; this.playing = false; this.stills = true; this.why_single();
      if (!already) { clearTimeout(this.next); this.fetchStill(); }
    },
    fetchStill() { if (this.gone || document.hidden || !this.stills) return; const jpeg = this.small ? this.jpeg.replace(/width=\d+/, 'width=480') : this.jpeg; this.still = jpeg + (jpeg.includes('?') ? '&' : '?') + 't=' + Date.now(); },
    stillLoaded() {
      this.got = true;
      const i = this.$refs.still; if (i && i.naturalWidth) this.ratio = `${i.naturalWidth} / ${i.naturalHeight}`;
      this.why_single(); this.next = setTimeout(() => this.fetchStill(), 700);
    },
    // Nobody is promised pictures that do not come.
    why_single() { const [why, instead] = this.reason || [this.words.reconnecting, '']; this.say(this.got ? instead : why, !this.got); },
    // A sign for a broken picture is none of ours.
    stillFailed() { this.got = false; this.why_single(); this.next = setTimeout(() => this.fetchStill(), 3000); },
    // -- sharpness: the variance of the Laplacian around the point, as sunmi_ipc.console.focusing -----------
    sharpen() {
      const m = this.stills ? this.$refs.still : this.live.video, w = m.videoWidth || m.naturalWidth, h = m.videoHeight || m.naturalHeight;
      if (!w) return;
      const c = this.canvas || (this.canvas = document.createElement('canvas'));
      c.width = 320; c.height = Math.round(320 * h / w);
      const g = c.getContext('2d', {willReadFrequently: true}), [x, y] = this.point || [50, 50];
      const left = Math.min(Math.max(w * x / 100 - w / 4, 0), w / 2), top = Math.min(Math.max(h * y / 100 - h / 4, 0), h / 2);
      g.drawImage(m, left, top, w / 2, h / 2, 0, 0, c.width, c.height);
      const d = g.getImageData(0, 0, c.width, c.height).data, n = c.width, grey = new Float32Array(n * c.height);
      for (let i = 0; i < grey.length; i++) grey[i] = 0.299 * d[4 * i] + 0.587 * d[4 * i + 1] + 0.114 * d[4 * i + 2];
      let sum = 0, squares = 0, count = 0;
      for (let r = 1; r < c.height - 1; r++) for (let k = 1; k < n - 1; k++) {
        const i = r * n + k, e = grey[i - n] + grey[i + n] + grey[i - 1] + grey[i + 1] - 4 * grey[i];
        sum += e; squares += e * e; count++;
      }
      const value = squares / count - (sum / count) ** 2;
      this.top = Math.max((this.top || 1) * 0.999, value * 1.05);
      this.level = Math.min(100, 100 * Math.sqrt(value / this.top)); this.best = Math.max(this.best, this.level);
      this.value = value;
    },
    // -- the line and the point --------------------------------------------------------------------------
    scale() { const w = this.$refs.box ? this.$refs.box.clientWidth : 0; if (w) this.u = W / w; },
    at(e) {
      const r = this.$refs.svg.getBoundingClientRect();
      return [(e.clientX - r.left) / r.width * W, (e.clientY - r.top) / r.height * H];
    },
    grab(which, e) {
      if (e.button) return;
      e.preventDefault(); e.currentTarget.focus({preventScroll: true});
      this.$refs.svg.setPointerCapture(e.pointerId);
      const [x, y] = this.at(e);
      this.drag = {which, id: e.pointerId, from: [x, y], line: [...this.l]};
    },
    move(e) {
      if (!this.drag || e.pointerId !== this.drag.id) return;
      const [x, y] = this.at(e), {which, from, line} = this.drag, dx = x - from[0], dy = y - from[1];
      this.l = line.map((v, i) => which === 'all' || i === which || i === which + 1 ? Math.round(v + (i % 2 ? dy : dx)) : v);
    },
    up(e) {
      if (!this.drag || e.pointerId !== this.drag.id) return;
      const moved = this.l.some((v, i) => v !== this.drag.line[i]);
      this.drag = null;
      if (moved) this.tell();
    },
    key(which, e) {
      const step = e.shiftKey ? 50 : 5;
      const [dx, dy] = {ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step]}[e.key] || [0, 0];
      if (!dx && !dy) return;
      e.preventDefault();
      this.l = this.l.map((v, i) => which === 'all' || i === which || i === which + 1 ? v + (i % 2 ? dy : dx) : v);
      clearTimeout(this.typed); this.typed = setTimeout(() => this.tell(), 250);
    },
    tell() {
      let [a, b, c, d] = this.l.map(Math.round); if (a > c) [a, b, c, d] = [c, d, a, b];
      this.$emit('line', {line: [a, b, c, d]});
    },
    tap(e) {
      if (this.mode !== 'focus' || e.button) return;
      const [x, y] = this.at(e), clamp = v => Math.min(100, Math.max(0, Math.round(v)));
      this.$emit('tap', {x: clamp(x / W * 100), y: clamp(y / H * 100)});
    },
  },
};
