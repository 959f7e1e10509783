-- The budget of one token, changed by one process at a time. KEYS[1] is the prefix of its keys:
--   :state     quota, window, level and level_at (the background's bucket), the same with a lane's
--              name before it (a lane's own part of that bucket), closed_until, told_used and
--              told_reset (what Cloudflare said last, and until when that holds)
--   :window    start of a step of 5 s -> requests in it
--   :by:START  "lane/spender" -> requests in that step;   :minute:START  the same by the minute
--   :refusals  when Cloudflare answered 429, newest first
-- Times are milliseconds, of this server's clock unless ARGV[2] says another. ARGV[1] is the verb.
local verb, prefix = ARGV[1], KEYS[1]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local STEP, HOUR = 5000, 3600000
local step = now - now % STEP

local state = {}
local stored = redis.call('HGETALL', prefix .. ':state')
for i = 1, #stored, 2 do state[stored[i]] = tonumber(stored[i + 1]) end
local quota = state.quota or tonumber(ARGV[3])
local window = state.window or tonumber(ARGV[4])

-- A clock that was set back must not hold anybody longer than the longest wait there is.
local closed_for = math.min((state.closed_until or 0) - now, HOUR)
local told_for = math.min((state.told_reset or 0) - now, HOUR)

local function save(fields)
  redis.call('HSET', prefix .. ':state', unpack(fields))
  redis.call('PEXPIRE', prefix .. ':state', 2 * HOUR)
end

-- The steps that count in the window, oldest first, and their sum.
local function spent_here()
  local steps, sum = {}, 0
  local counts = redis.call('HGETALL', prefix .. ':window')
  for i = 1, #counts, 2 do
    local ends = math.min(tonumber(counts[i]), step) + STEP + window
    if ends > now then
      steps[#steps + 1] = {ends = ends, count = tonumber(counts[i + 1])}
      sum = sum + tonumber(counts[i + 1])
    elseif verb == 'spend' then
      redis.call('HDEL', prefix .. ':window', counts[i])
    end
  end
  table.sort(steps, function(a, b) return a.ends < b.ends end)
  return steps, sum
end

local function wait_for(steps, surplus)
  for _, one in ipairs(steps) do
    surplus = surplus - one.count
    if surplus <= 0 then return one.ends - now end
  end
  return 0
end

-- What is in a bucket now.
local function level_of(name, burst, rate)
  local since = math.max(0, now - (state[name .. '_at'] or 0))
  return math.min(burst, (state[name] or burst) + since * rate)
end

-- ARGV 5..10: lane, spender, ceiling, reserve, share, part of the share; the share is empty for a
-- person's requests.
-- Returns {why, milliseconds to wait}; why is "" when the request may be sent.
local function spend()
  local ceiling, reserve, share = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  local part, own = tonumber(ARGV[10]), ARGV[5] .. '_level'
  local limit = math.max(1, math.floor(ceiling * quota))
  local steps, sum = spent_here()
  if closed_for > 0 then return {'closed', closed_for} end
  if told_for > 0 and state.told_used >= limit then return {'used', told_for} end
  if sum >= limit then return {'used', wait_for(steps, sum - limit + 1)} end
  if share then
    -- As `budget.bucket` says it.
    local allowed = share * quota
    local burst = math.max(2, math.min(quota / 10, allowed / 2))
    local rate = math.max(allowed - burst, allowed / 4) / window
    local level = level_of('level', burst, rate)
    local needed = 1 + math.min(reserve * burst, burst - 1)
    local its = part < 1 and level_of(own, math.max(1, part * burst), part * rate) or 1
    -- Without the tolerance a wait that was told would end a rounding error too early.
    if level + 1e-6 < needed or its + 1e-6 < 1 then
      return {'share', math.ceil(math.max((needed - level) / rate, (1 - its) / (part * rate)))}
    end
    save({'level', tostring(level - 1), 'level_at', now})
    if part < 1 then save({own, tostring(its - 1), own .. '_at', now}) end
  end
  if told_for > 0 then redis.call('HINCRBY', prefix .. ':state', 'told_used', 1) end
  redis.call('HINCRBY', prefix .. ':window', step, 1)
  redis.call('PEXPIRE', prefix .. ':window', 2 * HOUR)
  local minute = now - now % 60000
  for key, keep in pairs({[':by:' .. step] = window + 2 * STEP, [':minute:' .. minute] = 2 * HOUR}) do
    redis.call('HINCRBY', prefix .. key, ARGV[5] .. '/' .. ARGV[6], 1)
    redis.call('PEXPIRE', prefix .. key, keep)
  end
  return {'', 0}
end

-- ARGV 5..9: remaining, milliseconds to the reset, quota, window, milliseconds that a 429 closes;
-- each is empty when the answer did not say.
local function told()
  local remaining, reset = tonumber(ARGV[5]), tonumber(ARGV[6])
  quota, window = tonumber(ARGV[7]) or quota, tonumber(ARGV[8]) or window
  local closes = tonumber(ARGV[9])
  if tonumber(ARGV[7]) then save({'quota', quota, 'window', window}) end
  if remaining then
    local used, ends = math.max(0, quota - remaining), now + math.min(reset, HOUR)
    -- Answers come in another order than requests went: of one window the highest count is right.
    local slack = math.min(15000, window / 4)
    if told_for <= 0 or ends > state.told_reset + slack then
      save({'told_used', used, 'told_reset', ends})
    elseif ends >= state.told_reset - slack and used > state.told_used then
      save({'told_used', used})
    end
  end
  if closes then
    save({'closed_until', math.max(state.closed_until or 0, now + closes)})
    redis.call('LPUSH', prefix .. ':refusals', now)
    redis.call('LTRIM', prefix .. ':refusals', 0, 19)
    redis.call('PEXPIRE', prefix .. ':refusals', 24 * HOUR)
  end
  return {}
end

-- What a meter shows; -1 where Cloudflare said nothing that still holds.
local function read()
  local steps, sum = spent_here()
  local free_in = #steps > 0 and steps[#steps].ends - now or 0
  local is_told = told_for > 0
  return {now, quota, window, sum, is_told and state.told_used or -1, is_told and told_for or -1,
    math.max(0, closed_for), free_in}
end

return ({spend = spend, told = told, read = read})[verb]()
